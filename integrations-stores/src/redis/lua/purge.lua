-- Forgets some of what was finished before an instant. ARGV: the instant. Returns how many jobs.
local gone = 0
for _, state in ipairs({ 'done', 'dead' }) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. state, '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1000)) do
        forget(id, state)
        gone = gone + 1
    end
end
return gone
