-- Keeps leases alive. ARGV: the time, then four values for each: id, fence, time to live, progress.
local now = time(ARGV[1])
local answers = {}
for i = 2, #ARGV, 4 do
    local id = ARGV[i]
    local held = redis.call('HMGET', job(id), 'state', 'fence', 'kind')
    local is_held = held[1] == 'running' and held[2] == ARGV[i + 1]
    if is_held then
        local due = fmt(now + tonumber(ARGV[i + 2]))
        redis.call('ZADD', P .. 'running:' .. held[3], due, id)
        redis.call('HSET', job(id), 'due', due)
        if ARGV[i + 3] ~= '' then
            redis.call('HSET', job(id), 'progress', ARGV[i + 3])
        end
    end
    answers[#answers + 1] = is_held and 1 or 0
end
return answers
