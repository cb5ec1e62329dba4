/**
 * What Redis does in one step (EVAL, all keys of a script share a hash tag, so that a cluster runs it on one node). Positions are
 * texts of 20 digits, compared as texts: Lua's numbers end at 2^53.
 */

/** KEYS value, freshness; ARGV position, text, ms it is fresh, ms it is found (0: as long as it is fresh). Nothing newer is replaced. */
export const KEEP = `
local known = redis.call('GETRANGE', KEYS[1], 0, 19)
if known ~= '' and ARGV[1] < known then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[4])
if ARGV[3] ~= ARGV[4] then redis.call('SET', KEYS[2], '1', 'PX', ARGV[3]) end
return 1`

/** KEYS scope; ARGV position before, position after, a new mark. A scope is its position and its mark. */
export const ADVANCE = `
local known = redis.call('GET', KEYS[1])
if not known or string.sub(known, 1, 20) < ARGV[1] then redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3])
elseif string.sub(known, 1, 20) < ARGV[2] then redis.call('SET', KEYS[1], ARGV[2] .. string.sub(known, 21)) end
return 1`

/** KEYS claim; ARGV owner, ttl in ms. Answers with the owner before, or nothing when the claim was granted. */
export const CLAIM = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
return redis.call('GET', KEYS[1])`

/** KEYS claim; ARGV owner. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0`

/**
 * KEYS group, a hash of texts that begin with the ms since 1970 until which their member is there, by the clock of Redis; ARGV
 * member, text, ttl in ms. Answers with members and texts in turn; those who are gone are taken away.
 */
export const PRESENT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[3]) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local all = redis.call('HGETALL', KEYS[1])
local there = {}
for at = 1, #all, 2 do
  local space = string.find(all[at + 1], ' ', 1, true)
  if tonumber(string.sub(all[at + 1], 1, space - 1)) <= now then redis.call('HDEL', KEYS[1], all[at])
  else
    there[#there + 1] = all[at]
    there[#there + 1] = string.sub(all[at + 1], space + 1)
  end
end
return there`

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
