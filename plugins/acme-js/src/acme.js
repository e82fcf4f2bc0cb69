// A provider for Berth in JavaScript. Each export is an interface of the contract in wit/, each function one of its functions; what they must
// do is written there. A result's error is thrown.

import settings from 'berth:provider/settings@0.1.3'

import * as map from './map.js'
import { json, send } from './http.js'
import { decode, parse } from './text.js'

/** Acme's own errors: 409 with a code. */
function refusal({ status, body }) {
  if (status !== 409) return null
  try {
    return parse(decode(body)).code === 'taken' ? { tag: 'conflict', val: { tag: 'slot-taken' } } : null
  } catch {
    return null
  }
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined)
  const pairs = given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return pairs.length ? `?${pairs.join('&')}` : ''
}

/** Ask Acme. Berth attaches the API key after the request has left the component. */
function ask(method, path, { body = null, key = null } = {}) {
  const headers = [['accept', 'application/json']]
  if (body !== null) headers.push(['content-type', 'application/json'])
  if (key !== null) headers.push(['idempotency-key', key])
  const { base_url: base } = JSON.parse(settings.get())
  return send(method, base + path, headers, body === null ? null : JSON.stringify(body))
}

const get = path => json(ask('get', path), refusal)
const post = (path, body, key) => json(ask('post', path, { body, key }), refusal)
const id = encodeURIComponent
const unsupported = () => ({ tag: 'unsupported', val: null })

export const connection = {
  validate: () => map.account(get('/v1/account')),
}

export const catalog = {
  listEventTypes: ({ token, limit }) => map.services(get('/v1/services' + query({ limit, page: token }))),
  resolveLink() {
    throw unsupported()
  },
}

export const availability = {
  spans: () => ({ freeSlotsDays: 31, busyDays: 0 }),
  freeSlots({ eventType, within }) {
    const parameters = query({ from: map.rfc3339(within.start), to: map.rfc3339(within.end) })
    return map.openings(get(`/v1/services/${id(eventType)}/openings${parameters}`))
  },
  busy() {
    throw unsupported()
  },
}

export const bookings = {
  create: request => map.appointment(post('/v1/appointments', map.newAppointment(request), request.idempotencyKey)),
  get: booking => map.appointment(get(`/v1/appointments/${id(booking)}`)),
  findByReference: ({ reference }) => map.appointments(get('/v1/appointments' + query({ reference }))).items,
  cancel(request) {
    try {
      return map.appointment(post(`/v1/appointments/${id(request.id)}/cancel`, { reason: request.reason }))
    } catch (error) {
      // Cancelling what is cancelled must succeed.
      if (error.tag === 'conflict') return bookings.get(request.id)
      throw error
    }
  },
  reschedule(request) {
    const when = { start: map.rfc3339(request.when.start), end: map.rfc3339(request.when.end) }
    return map.appointment(post(`/v1/appointments/${id(request.id)}/move`, when, request.idempotencyKey))
  },
  listChanges: (cursor, limit) => map.appointments(get('/v1/appointments/changes' + query({ limit, cursor }))),
}

export const webhooks = {
  subscribe({ callbackUrl }) {
    // Berth adds the secret to the body, as plugin.toml says.
    const made = post('/v1/webhooks', { url: callbackUrl })
    if (typeof made?.id !== 'string') throw { tag: 'unavailable', val: null }
    return { id: made.id, expiresAt: null, data: null }
  },
  renew() {
    throw unsupported()
  },
  unsubscribe(subscription) {
    const answer = ask('delete', `/v1/webhooks/${id(subscription.id)}`)
    // One that is gone is ended.
    if (answer.status !== 404 && answer.status !== 204) json(answer, refusal)
  },
  handle(request) {
    let message
    try {
      message = parse(decode(request.body))
    } catch {
      throw { tag: 'invalid', val: [{ field: 'body', message: 'is no JSON' }] }
    }
    return { events: map.events(message), reply: null }
  },
}
