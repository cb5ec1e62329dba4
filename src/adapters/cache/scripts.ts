/**
 * What Redis does in one step (EVAL, all keys of a script share a hash tag, so that a cluster runs it on one node). Positions are
 * texts of 20 digits, compared as texts: Lua's numbers end at 2^53.
 */

/** KEYS value, floor; ARGV value, position, ttl in ms (0: none). A value is the position, a line end, the text. */
export const SET = `
local floor = redis.call('GET', KEYS[2])
if floor and ARGV[2] < floor then return 0 end
local known = redis.call('GETRANGE', KEYS[1], 0, 19)
if known ~= '' and ARGV[2] < known then return 0 end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2] .. '\\n' .. ARGV[1])
else redis.call('SET', KEYS[1], ARGV[2] .. '\\n' .. ARGV[1], 'PX', ARGV[3]) end
return 1`

/** KEYS value, floor; ARGV position, how long the floor stands in ms. */
export const INVALIDATE = `
local known = redis.call('GETRANGE', KEYS[1], 0, 19)
if known ~= '' and known <= ARGV[1] then redis.call('UNLINK', KEYS[1]) end
local floor = redis.call('GET', KEYS[2])
if not floor or floor < ARGV[1] then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
else redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 1`

/** KEYS claim; ARGV owner, ttl in ms. Answers with the owner before, or nothing when the claim was granted. */
export const CLAIM = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
return redis.call('GET', KEYS[1])`

/** KEYS claim; ARGV owner. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0`

/** KEYS window; ARGV its length in ms. Answers with the count and the ms until it ends. */
export const HIT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}`
