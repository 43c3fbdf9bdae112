-- Settles jobs. ARGV: the time, then nine values for each: id, fence, outcome, how long until a retry, failure,
-- progress, how long until a repeat (empty for none), whether it has a payload of its own, that payload.
local now = time(ARGV[1])
local answers = {}
for i = 2, #ARGV, 9 do
    local id, outcome = ARGV[i], ARGV[i + 2]
    local held = redis.call('HMGET', job(id), 'state', 'fence', 'kind')
    local is_held = held[1] == 'running' and held[2] == ARGV[i + 1]
    if is_held then
        if ARGV[i + 4] ~= '' then
            redis.call('HSET', job(id), 'failure', ARGV[i + 4])
        end
        if ARGV[i + 5] ~= '' then
            redis.call('HSET', job(id), 'progress', ARGV[i + 5])
        end
        if outcome == 'retry' then
            redis.call('HINCRBY', job(id), 'failures', 1)
            count(held[3], 'retried_ever', 1)
            put_back(id, now + tonumber(ARGV[i + 3]), now)
        elseif outcome == 'release' then
            put_back(id, now, now)
        else
            local again_after = nil
            if ARGV[i + 6] ~= '' then
                again_after = { after = tonumber(ARGV[i + 6]), payload = ARGV[i + 7] == '1' and ARGV[i + 8] or nil }
            end
            finish(id, outcome, now, again_after)
        end
    end
    answers[#answers + 1] = is_held and 1 or 0
end
wake()
return answers
