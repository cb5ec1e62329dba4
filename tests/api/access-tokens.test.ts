import { createHmac, generateKeyPairSync, randomBytes, sign as signWith } from 'node:crypto'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import jwt from 'jsonwebtoken'
import t, { type Test } from 'tap'
import {
  type AccessClaims,
  createTokenVerifier,
  jwksOf,
  type ServiceClaims,
  signAccessToken,
} from '../../src/adapters/http/access-tokens.ts'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { fakeClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'

const scope = { issuer: 'https://dictionary.example', audience: 'lexichron' }
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const open = async (t: Test) => {
  const clock = fakeClock()
  const keys = await openFileKeys({ folder: join(temporaryFolder(t), 'keys'), randomBytes, clock })
  t.teardown(() => keys.close())
  let asked = 0
  const counted = {
    signing: (now: Date) => {
      asked += 1
      return keys.signing(now)
    },
  }
  const verifier = createTokenVerifier({ ...scope, keys: counted, clock, max: 3 })
  const claims = (more: Partial<ServiceClaims> = {}): AccessClaims => ({
    jti: 'token-1',
    sub: 'service-1',
    kind: 'service',
    role: 'editor',
    issuedAt: clock.now(),
    expiresAt: new Date(clock.now().getTime() + HOUR),
    ...more,
  })
  const [key] = await keys.signing(clock.now())
  if (!key) throw new Error('no key')
  return {
    clock,
    keys,
    key,
    verifier,
    claims,
    asked: () => asked,
    sign: (more?: Partial<ServiceClaims>) => signAccessToken(keys, scope, claims(more)),
  }
}

t.test('what is signed is verified, here and by anybody with the JWKS', async t => {
  const { keys, clock, verifier, claims, sign } = await open(t)
  const token = await sign()
  t.same(await verifier.verify(token), { claims: claims() })
  t.same(await verifier.verify(token), { claims: claims() }, 'and again, from memory')
  t.same(jwt.decode(token, { complete: true })?.payload, {
    iss: scope.issuer,
    aud: scope.audience,
    sub: 'service-1',
    client_id: 'service-1',
    jti: 'token-1',
    kind: 'service',
    role: 'editor',
    iat: 1767225600,
    nbf: 1767225600,
    exp: 1767225600 + 3600,
  })

  await keys.rotate(clock.now())
  const jwks = jwksOf(await keys.signing(clock.now()))
  t.equal(jwks.keys.length, 2)
  for (const jwk of jwks.keys)
    t.same(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], 'public members alone')
  const verified = await jwtVerify(token, createLocalJWKSet({ keys: jwks.keys.map(key => ({ ...key })) }), {
    issuer: scope.issuer,
    audience: scope.audience,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: clock.now(),
  })
  t.equal(verified.payload.jti, 'token-1')
  const { publicKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  t.throws(() => jwksOf([{ kid: 'x', publicKey, privateKey: '', createdAt: '', activeFrom: '' }]), /elliptic/)
})

t.test('times are checked by the given clock, also for a remembered token', async t => {
  const { clock, verifier, sign } = await open(t)
  const token = await sign()
  t.match(await verifier.verify(token), { claims: {} })
  await clock.advance(HOUR - 1)
  t.match(await verifier.verify(token), { claims: {} }, 'to its last millisecond')
  await clock.advance(1)
  t.same(await verifier.verify(token), { fault: 'expired' })
  t.same(await verifier.verify(token), { fault: 'expired' })

  const start = clock.now().getTime()
  const ahead = (ms: number) => sign({ issuedAt: new Date(start + ms), expiresAt: new Date(start + ms + HOUR) })
  t.match(await verifier.verify(await ahead(5000)), { claims: {} }, 'another node’s clock may be a little ahead')
  const early = await ahead(6000)
  t.same(await verifier.verify(early), { fault: 'not-yet' })
  await clock.advance(1000)
  t.match(await verifier.verify(early), { claims: {} })
})

t.test('one that was verified vouches for no other with its signature', async t => {
  const { verifier, sign, claims } = await open(t)
  const token = await sign()
  t.match(await verifier.verify(token), { claims: {} })
  const [head = '', payload = '', signature = ''] = token.split('.')
  const raised = { ...JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')), sub: 'somebody else' }
  const other = `${head}.${Buffer.from(JSON.stringify(raised)).toString('base64url')}.${signature}`
  t.same(await verifier.verify(other), { fault: 'not-genuine' })
  t.same(await verifier.verify(`.${signature}`), { fault: 'malformed' })
  t.same(await verifier.verify(token), { claims: claims() }, 'nor does it lose its own')
})

t.test('tokens outlive a rotation, and no key outlives its time', async t => {
  const { keys, clock, verifier, sign } = await open(t)
  const before = await sign({ expiresAt: new Date(clock.now().getTime() + 24 * HOUR) })
  await keys.rotate(clock.now())
  await clock.advance(11 * MINUTE)
  const after = await sign()
  t.not(jwt.decode(before, { complete: true })?.header.kid, jwt.decode(after, { complete: true })?.header.kid)
  t.match(await verifier.verify(before), { claims: {} })
  t.match(await verifier.verify(after), { claims: {} })
  await clock.advance(24 * HOUR)
  const { verify } = createTokenVerifier({ ...scope, keys, clock, max: 3 })
  t.same(await verify(before), { fault: 'unknown-key' })
})

t.test('forged and foreign tokens are refused', async t => {
  const { keys, key, clock, claims, sign, verifier } = await open(t)
  const iat = clock.now().getTime() / 1000
  const payload = {
    iss: scope.issuer,
    aud: scope.audience,
    sub: 's',
    jti: 'j',
    kind: 'service',
    role: 'admin',
    iat,
    nbf: iat,
    exp: iat + 3600,
  }
  const header = { alg: 'ES256' as const, typ: 'at+jwt', kid: key.kid }
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  /** A genuine signature over anything at all. */
  const genuine = (changes: object = {}, headers: object = {}): string => {
    const text = `${encode({ ...header, ...headers })}.${encode({ ...payload, ...changes })}`
    const signature = signWith('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }
  t.match(await verifier.verify(genuine()), { claims: { role: 'admin' } }, 'the forger’s tool makes valid tokens')

  const strange = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const [head, body, signature] = (await sign()).split('.')
  const symmetric = `${encode({ ...header, alg: 'HS256' })}.${encode(payload)}`
  const hmac = createHmac('sha256', key.publicKey).update(symmetric).digest('base64url')
  const cases: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'malformed'],
    ['one part', 'abc', 'malformed'],
    ['two parts', `${head}.${body}`, 'malformed'],
    ['four parts', `${head}.${body}.${signature}.x`, 'malformed'],
    ['other characters', `${head}.${body}.${signature}=`, 'malformed'],
    ['a header that is no JSON', `abc.${body}.${signature}`, 'malformed'],
    ['a header that is a list', `${encode([])}.${body}.${signature}`, 'malformed'],
    ['4,097 bytes', `${head}.${'a'.repeat(4097 - `${head}..${signature}`.length)}.${signature}`, 'too-long'],
    ['alg none, no signature', `${encode({ ...header, alg: 'none' })}.${body}.`, 'malformed'],
    ['alg none', `${encode({ ...header, alg: 'none' })}.${body}.AAAA`, 'wrong-type'],
    ['HS256 with the public key', `${symmetric}.${hmac}`, 'wrong-type'],
    ['HS256 that says ES256', `${encode(header)}.${encode(payload)}.${hmac}`, 'not-genuine'],
    ['another type', genuine({}, { typ: 'JWT' }), 'wrong-type'],
    ['no type', genuine({}, { typ: undefined }), 'wrong-type'],
    ['a critical extension', genuine({}, { crit: ['b64'], b64: false }), 'wrong-type'],
    ['another key id', genuine({}, { kid: 'other' }), 'unknown-key'],
    ['a key id that is a name of Object', genuine({}, { kid: '__proto__' }), 'unknown-key'],
    ['no key id', genuine({}, { kid: undefined }), 'unknown-key'],
    [
      'its own key',
      jwt.sign(payload, strange.privateKey, {
        algorithm: 'ES256',
        header: { ...header, jwk: strange.publicKey } as typeof header,
      }),
      'not-genuine',
    ],
    ['another payload', `${head}.${encode({ ...payload, role: 'admin' })}.${signature}`, 'not-genuine'],
    ['zeros for a signature', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`, 'not-genuine'],
    ['another issuer', genuine({ iss: 'https://other.example' }), 'not-genuine'],
    ['another audience', genuine({ aud: 'other' }), 'not-genuine'],
    ['no audience', genuine({ aud: undefined }), 'not-genuine'],
    ['no subject', genuine({ sub: undefined }), 'not-genuine'],
    ['no id', genuine({ jti: '' }), 'not-genuine'],
    ['an unknown role', genuine({ role: 'root' }), 'not-genuine'],
    ['another kind', genuine({ kind: 'system' }), 'not-genuine'],
    ['no end', genuine({ exp: undefined }), 'not-genuine'],
    ['an end in words', genuine({ exp: 'never' }), 'not-genuine'],
    ['no start', genuine({ iat: undefined }), 'not-genuine'],
    ['a life of more than 24 hours', genuine({ exp: iat + 24 * 3600 + 1 }), 'not-genuine'],
    ['an end before its start', genuine({ exp: iat - 1 }), 'not-genuine'],
    ['a past end', genuine({ iat: iat - 20, exp: iat }), 'expired'],
    ['a later start', genuine({ nbf: iat + 60 }), 'not-yet'],
  ]
  for (const [name, token, fault] of cases) {
    t.same(await verifier.verify(token), { fault }, name)
    t.same(await verifier.verify(token), { fault }, `${name}, again`)
  }
  t.match(await verifier.verify(genuine({}, { typ: 'application/AT+JWT' })), { claims: {} }, 'the type’s long form')
  t.same(await verifier.verify(await signAccessToken(keys, { ...scope, audience: 'other' }, claims())), {
    fault: 'not-genuine',
  })
  await t.rejects(signAccessToken({ signing: async () => [] }, scope, claims()), /no key/)
})

t.test('the key set is asked for once a second at most, memory is bounded', async t => {
  const { clock, verifier, sign, asked } = await open(t)
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => sign({ jti: `t-${n}` })))
  await verifier.verify(tokens[0] ?? '')
  for (const token of tokens) t.match(await verifier.verify(token), { claims: {} })
  t.equal(asked(), 1)
  await clock.advance(1000)
  t.match(await verifier.verify(tokens[0] ?? ''), { claims: {} })
  t.equal(asked(), 2, 'the first had been forgotten: three are remembered')
  t.match(await verifier.verify(tokens[19] ?? ''), { claims: { jti: 't-19' } })
})
