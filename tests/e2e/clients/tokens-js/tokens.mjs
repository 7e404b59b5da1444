// Makes and verifies tokens as docs/reference/tokens.md says, with nothing but Node.
//
// Its only argument is a JSON object:
//   secrets       secrets in base64url, by the id of their key
//   grants        [{key, claims}]
//   capabilities  [{key, upload, rights, expires, subject}]
//   verify        tokens
// It prints one: the derived keys by key and purpose, the grants, the capabilities, and for each
// token of verify whether its form and its signature are good.

import { createHmac, timingSafeEqual } from 'node:crypto'

const CREATE = 'tusd_py/v1/create'
const UPLOAD = 'tusd_py/v1/upload'
const BITS = { HEAD: 1, PATCH: 2, GET: 4, 'DELETE-UNFINISHED': 8, DELETE: 16 }
const TOKEN = /^([\w-]{1,128})\.([\w-]{1,32})\.([\w-]+)\.([\w-]{43})$/

const task = JSON.parse(process.argv[2])

const hmac = (key, ...parts) => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

const derive = (keyId, purpose) =>
  hmac(Buffer.from(task.secrets[keyId], 'base64url'), purpose, Buffer.from([1]))

const sign = (keyId, purpose, text) => hmac(derive(keyId, purpose), text).toString('base64url')

function grant({ key, claims }) {
  const signed = `g1.${key}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${signed}.${sign(key, CREATE, signed)}`
}

function capability({ key, upload, rights, expires, subject }) {
  const head = Buffer.alloc(6)
  head.writeUInt8(rights.reduce((sum, right) => sum + BITS[right], 0))
  head.writeUIntBE(expires, 1, 5)
  const claims = Buffer.concat([head, Buffer.from(subject)]).toString('base64url')
  const signed = `${upload}.${key}.${claims}`
  return `${signed}.${sign(key, UPLOAD, `c1.${signed}`)}`
}

function isGood(token) {
  const match = TOKEN.exec(token)
  if (match === null || !(match[2] in task.secrets)) return false
  const signed = token.slice(0, token.lastIndexOf('.'))
  const expected =
    match[1] === 'g1'
      ? sign(match[2], CREATE, signed)
      : sign(match[2], UPLOAD, `c1.${signed}`)
  return timingSafeEqual(Buffer.from(expected), Buffer.from(match[4]))
}

const derived = Object.fromEntries(
  Object.keys(task.secrets).map((keyId) => [
    keyId,
    {
      [CREATE]: derive(keyId, CREATE).toString('hex'),
      [UPLOAD]: derive(keyId, UPLOAD).toString('hex'),
    },
  ]),
)
console.log(
  JSON.stringify({
    derived,
    grants: task.grants.map(grant),
    capabilities: task.capabilities.map(capability),
    good: task.verify.map(isGood),
  }),
)
