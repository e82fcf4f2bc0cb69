// From Acme's JSON to the contract's records. Pure.

import { unavailable } from './http.js'

/** Microseconds since 1970, from RFC 3339. */
export function instant(text) {
  const millis = typeof text === 'string' ? Date.parse(text) : NaN
  if (Number.isNaN(millis)) throw unavailable()
  return millis * 1000
}

/** RFC 3339, from microseconds. */
export const rfc3339 = micros => new Date(micros / 1000).toISOString()

function text(value) {
  if (typeof value !== 'string' || value === '') throw unavailable()
  return value
}

const optional = value => (typeof value === 'string' ? value : null)

function items(answer, name = 'items') {
  if (!Array.isArray(answer?.[name])) throw unavailable()
  return answer[name]
}

export function account(answer) {
  return {
    id: text(answer?.id),
    name: text(answer?.name),
    email: optional(answer.email),
    timeZone: optional(answer.time_zone),
    raw: JSON.stringify(answer),
  }
}

export const services = answer => ({ items: items(answer).map(service), next: optional(answer.next_page) })

function service(item) {
  const minutes = item?.minutes
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 10000) throw unavailable()
  return {
    id: text(item.id),
    title: text(item.title),
    description: null,
    lengthMinutes: minutes,
    lengthOptionsMinutes: [],
    bufferBeforeMinutes: 0,
    bufferAfterMinutes: 0,
    minimumNoticeMinutes: 0,
    seats: 1,
    price: null,
    needsConfirmation: false,
    bookingUrl: `https://acme.example/book/${item.id}`,
    active: item.active === true,
    raw: JSON.stringify(item),
  }
}

export function openings(answer) {
  const slots = items(answer, 'openings').map(opening => ({ when: interval(opening), token: null, seatsLeft: null }))
  return slots.sort((one, other) => one.when.start - other.when.start)
}

function interval(item) {
  const when = { start: instant(item?.start), end: instant(item?.end) }
  if (when.end < when.start) throw unavailable()
  return when
}

const STATUSES = { requested: 'pending', cancelled: 'cancelled', done: 'completed', missed: 'no-show' }

export function appointment(item) {
  const customer = item?.customer
  return {
    id: text(item?.id),
    reference: optional(item.reference),
    // A status that is new to us: the time is taken.
    status: STATUSES[text(item.status)] ?? 'confirmed',
    when: interval(item),
    eventType: text(item.service_id),
    title: null,
    attendees: [{
      name: text(customer?.name),
      email: optional(customer.email),
      phone: optional(customer.phone),
      timeZone: text(customer.time_zone),
      language: optional(customer.language),
    }],
    location: null,
    cancellationReason: optional(item.reason),
    rescheduledFrom: null,
    rescheduledTo: null,
    updatedAt: item.updated_at ? instant(item.updated_at) : null,
    raw: JSON.stringify(item),
  }
}

export const appointments = answer => ({
  items: items(answer).map(appointment),
  cursor: optional(answer.cursor) ?? '',
  more: answer.more === true,
})

export const newAppointment = request => ({
  service_id: request.eventType,
  start: rfc3339(request.when.start),
  end: rfc3339(request.when.end),
  reference: request.reference,
  customer: {
    name: request.attendee.name,
    email: request.attendee.email,
    phone: request.attendee.phone,
    time_zone: request.attendee.timeZone,
    language: request.attendee.language,
  },
  notes: request.notes,
})

/** The events of a message. Types that do not matter are none. */
export function events(message) {
  switch (message?.type) {
    case 'appointment.created': return [{ tag: 'created', val: appointment(message.appointment) }]
    case 'appointment.cancelled': return [{ tag: 'cancelled', val: appointment(message.appointment) }]
    case 'appointment.moved': {
      const booking = appointment(message.appointment)
      return [{ tag: 'rescheduled', val: { oldId: booking.id, booking } }]
    }
    default: return []
  }
}
