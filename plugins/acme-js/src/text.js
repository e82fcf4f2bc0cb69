// UTF-8, for an engine without TextEncoder; and JSON from strangers.

export function encode(text) {
  const bytes = unescape(encodeURIComponent(text))
  return Uint8Array.from(bytes, byte => byte.charCodeAt(0))
}

/** The text, with what is no UTF-8 read as Latin-1: a provider that sends such a thing is not understood anyway. */
export function decode(bytes) {
  let latin = ''
  // In pieces: an argument list is not endless.
  for (let at = 0; at < bytes.length; at += 8192) latin += String.fromCharCode(...bytes.slice(at, at + 8192))
  try {
    return decodeURIComponent(escape(latin))
  } catch {
    return latin
  }
}

/** Nesting that JSON may have. The engine reads it by recursion, and a component's stack is small. */
const DEPTH = 64

/** Read JSON; throws if it is none, or nested too deeply. */
export function parse(text) {
  let [depth, quoted] = [0, false]
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') depth -= 1
    if (depth > DEPTH) throw new SyntaxError('nested too deeply')
  }
  return JSON.parse(text)
}
