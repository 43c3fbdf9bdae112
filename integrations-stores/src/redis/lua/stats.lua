-- Counts. ARGV: the time. Returns for each kind its name, what is ready, delayed, running and dead, three counters, and
-- for how long the oldest has been due.
local now = time(ARGV[1])
local answers = {}
for _, kind in ipairs(redis.call('SMEMBERS', P .. 'kinds')) do
    local ripe = redis.call('ZCOUNT', P .. 'delayed:' .. kind, '-inf', fmt(now))
    local ready = ripe
    for priority = 0, 2 do
        ready = ready + redis.call('ZCARD', P .. 'ready:' .. lane(kind, priority))
    end
    local oldest = nil
    for _, waits in ipairs({ 'since:', 'delayed:' }) do
        local first = redis.call('ZRANGE', P .. waits .. kind, 0, 0, 'WITHSCORES')[2]
        if first and tonumber(first) <= now and (not oldest or tonumber(first) < oldest) then
            oldest = tonumber(first)
        end
    end
    local counts = redis.call('HMGET', P .. 'count:' .. kind, 'dead', 'done_ever', 'retried_ever', 'dead_ever')
    answers[#answers + 1] = {
        kind,
        tostring(ready),
        tostring(redis.call('ZCARD', P .. 'delayed:' .. kind) - ripe),
        tostring(redis.call('ZCARD', P .. 'running:' .. kind)),
        counts[1] or '0',
        counts[2] or '0',
        counts[3] or '0',
        counts[4] or '0',
        oldest and fmt(now - oldest) or '',
    }
end
return answers
