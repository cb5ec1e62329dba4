// Verifies the receipt of an erasure, offline: node verify-receipt.mjs receipt.json keys.json
//
// receipt.json is what GET /v1/receipts/<token> answered (or its member `signed` alone), keys.json what
// GET /.well-known/jwks.json or GET /v1/receipts/keys did. One file that depends on Node alone, so that it can be read,
// kept and run by whoever has a receipt. It prints what the receipt says; exit code 1: not genuine, 2: wrong usage.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [receiptPath, keysPath, ...more] = process.argv.slice(2)
const leave = (code, text) => {
  process.stderr.write(`${text}\n`)
  process.exit(code)
}
if (keysPath === undefined || more.length > 0) leave(2, 'usage: node verify-receipt.mjs receipt.json keys.json')

const read = path => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    return leave(2, `${path} cannot be read: ${error.code}`)
  }
}
const parsed = text => {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
const decoded = part => parsed(Buffer.from(part, 'base64url').toString('utf8'))
// RFC 7638: a key is found by its thumbprint, whatever name the list gives it.
const thumbprint = x =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')

const text = read(receiptPath)
const signed = text.startsWith('{') ? String(parsed(text).signed) : text
const { keys } = parsed(read(keysPath))
if (!Array.isArray(keys)) leave(2, `${keysPath} is no JWK Set`)

const parts = signed.split('.')
const [head = '', payload = '', signature = ''] = parts
const { alg, typ, kid } = decoded(head)
if (parts.length !== 3 || alg !== 'EdDSA' || typ !== 'erasure-receipt+jws') leave(1, 'This is no receipt.')
const key = keys.find(each => each?.kty === 'OKP' && typeof each.x === 'string' && thumbprint(each.x) === kid)
if (!key) leave(1, 'The keys do not have the one that signed this.')
const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.x }, format: 'jwk' })
if (!verify(null, Buffer.from(`${head}.${payload}`), publicKey, Buffer.from(signature, 'base64url')))
  leave(1, 'The signature does not fit: the receipt was changed, or forged.')
process.stdout.write(`${JSON.stringify(decoded(payload), null, 2)}\n`)
