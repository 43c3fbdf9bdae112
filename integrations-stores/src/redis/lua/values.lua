-- Short-lived values. KEYS[1]: the key. ARGV: the time, what to do, the time to live, the value. A value stands behind the
-- sixteen digits of the microsecond at which it is over, and a colon.
local now
if ARGV[1] ~= '' then
    now = tonumber(ARGV[1])
else
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local held = redis.call('GET', KEYS[1])
if held and tonumber(string.sub(held, 1, 16)) <= now then
    held = false
end
local what = ARGV[2]
if what == 'put' or (what == 'put_if_absent' and not held) then
    local over = math.min(now + tonumber(ARGV[3]), 9007199254740991)
    redis.call('SET', KEYS[1], string.format('%016.0f', over) .. ':' .. ARGV[4])
    if ARGV[1] == '' then
        redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil(over / 1000)))
    end
    return 1
end
if what == 'put_if_absent' then
    return 0
end
if what == 'release' then
    if held and string.sub(held, 18) == ARGV[4] then
        redis.call('DEL', KEYS[1])
    end
    return 0
end
if what == 'take' and held then
    redis.call('DEL', KEYS[1])
end
return held and string.sub(held, 18) or false
