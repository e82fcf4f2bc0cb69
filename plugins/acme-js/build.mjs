// Builds build/acme-js.wasm: the contract and WASI side by side in build/wit, the JavaScript made into a component, and plugin.toml put
// into it as the custom section that Berth reads.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const build = join(here, 'build')
const wit = join(build, 'wit')
const contract = join(here, '../../wit')
const wasi = join(here, 'node_modules/@bytecodealliance/jco/lib/wit/builtin/0.2.12')

// componentize-qjs runs the program once at build time and knows no wasi:http then. So WASI travels under another name of the same length,
// which the tool takes for any import, and gets its own back in the finished component. What the engine itself would import of WASI is
// stubbed: a provider needs no files.
const [own, alias] = ['wasi:', 'wasx:']

function copyUnderAlias(from, to) {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyUnderAlias(source, target)
    else if (!entry.name.endsWith('.md')) writeFileSync(target, readFileSync(source, 'utf8').replaceAll(own, alias))
  }
}

rmSync(build, { recursive: true, force: true })
copyUnderAlias(join(here, 'wit'), wit)
copyUnderAlias(join(here, 'src'), join(build, 'src'))
copyUnderAlias(contract, join(wit, 'deps/berth-provider'))
for (const name of ['cli', 'clocks', 'filesystem', 'http', 'io', 'random', 'sockets']) copyUnderAlias(join(wasi, `wasi-${name}`), join(wit, `deps/wasi-${name}`))

const component = join(build, 'component.wasm')
const tool = join(here, 'node_modules/componentize-qjs/cli.mjs')
const options = ['--wit', wit, '--js', 'src/acme.js', '--world', 'acme', '--output', component, '--sync', '--opt-size']
execFileSync(process.execPath, [tool, ...options], { cwd: build, stdio: 'inherit' })

/** An unsigned LEB128 number. */
function leb(number) {
  const bytes = []
  do {
    const rest = number >>> 7
    bytes.push((number & 0x7f) | (rest ? 0x80 : 0))
    number = rest
  } while (number)
  return Buffer.from(bytes)
}

const name = Buffer.from('berth:manifest')
const content = Buffer.concat([leb(name.length), name, readFileSync(join(here, 'plugin.toml'))])
const section = Buffer.concat([Buffer.from([0]), leb(content.length), content])
// As 0.2.11, which is all the same to a host, so that it does not meet the engine's own (stubbed) 0.2.12.
const named = readFileSync(component, 'latin1').replace(/wasx:([a-z0-9/-]+)@0\.2\.12/g, 'wasi:$1@0.2.11').replaceAll(alias, own)
const bytes = Buffer.from(named, 'latin1')
writeFileSync(join(build, 'acme-js.wasm'), Buffer.concat([bytes, section]))
