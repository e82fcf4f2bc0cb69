// Requests over wasi:http, and errors as the contract wants them.

import types from 'wasi:http/types@0.2.12'
import handler from 'wasi:http/outgoing-handler@0.2.12'

import { decode, encode, parse } from './text.js'

/** Bytes that one write takes. */
const CHUNK = 4096
/** Bytes that one read asks for. */
const READ = 65536
/** Bytes of an answer: Acme's are far smaller, and reading a large one costs more time than a call has. */
const ANSWER = 131072

/** No usable answer: for a change, it may or may not have happened. */
export const unavailable = () => ({ tag: 'unavailable', val: null })

/** Send a request and take the whole answer: `{ status, headers, body }`. Throws `unavailable` when there is none. */
export function send(method, url, headers, body) {
  const [, scheme, authority, path] = /^(https?):\/\/([^/?]+)(.*)$/.exec(url) ?? []
  const fields = new types.Fields()
  for (const [name, value] of headers) fields.append(name, encode(value))
  const request = new types.OutgoingRequest(fields)
  request.setMethod({ tag: method })
  request.setScheme({ tag: scheme === 'http' ? 'HTTP' : 'HTTPS' })
  request.setAuthority(authority)
  request.setPathWithQuery(path || '/')
  try {
    write(request.body(), body === null ? new Uint8Array() : encode(body))
    return received(handler.handle(request, null))
  } catch {
    throw unavailable()
  }
}

function write(out, bytes) {
  const stream = out.write()
  for (let at = 0; at < bytes.length; at += CHUNK) stream.blockingWriteAndFlush(bytes.slice(at, at + CHUNK))
  drop(stream)
  types.OutgoingBody.finish(out, null)
}

// What is left to the garbage collector goes in any order, and a host refuses to drop a response before its body.
const drop = resource => resource[Symbol.dispose]()

function received(future) {
  const pollable = future.subscribe()
  pollable.block()
  drop(pollable)
  const answer = future.get()
  drop(future)
  if (answer.tag !== 'ok' || answer.val.tag !== 'ok') throw answer
  const response = answer.val.val
  const status = response.status()
  const fields = response.headers()
  const headers = new Map(fields.entries().map(([name, value]) => [name.toLowerCase(), decode(value)]))
  drop(fields)
  const incoming = response.consume()
  const stream = incoming.stream()
  const body = whole(stream)
  drop(stream)
  drop(incoming)
  drop(response)
  if (body === null) throw unavailable()
  return { status, headers, body }
}

/** The whole body; null if it does not end well, or is too long. */
function whole(stream) {
  const pieces = []
  for (let read = 0; read <= ANSWER;) {
    try {
      const piece = stream.blockingRead(READ)
      read += piece.length
      pieces.push(piece)
    } catch (end) {
      // An error of an import carries the contract's error as its payload.
      if (end?.payload?.tag === 'closed') return joined(pieces)
      return null
    }
  }
  return null
}

function joined(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** The body of a good answer as JSON; throws the error of the contract for any other. `refusal` reads the provider's own. */
export function json(answer, refusal = () => null) {
  if (answer.status >= 200 && answer.status < 300) {
    try {
      return parse(decode(answer.body))
    } catch {
      throw unavailable()
    }
  }
  throw refusal(answer) ?? usual(answer)
}

function usual({ status, headers }) {
  const seconds = Number(headers.get('retry-after'))
  const wait = Number.isFinite(seconds) && headers.has('retry-after') ? seconds * 1000 : null
  switch (status) {
    case 400:
    case 422: return { tag: 'invalid', val: [{ field: '', message: 'the provider refused the data' }] }
    case 401: return { tag: 'unauthorised' }
    case 403: return { tag: 'forbidden', val: 'the API key may not do this' }
    case 404:
    case 410: return { tag: 'not-found' }
    case 409: return { tag: 'conflict', val: { tag: 'changed' } }
    case 429: return { tag: 'rate-limited', val: wait }
    default:
      if (status >= 500) return { tag: 'unavailable', val: wait }
      return { tag: 'vendor', val: { status, code: '', message: `status ${status}` } }
  }
}
