-- Whether there is something to lease of one of these kinds. ARGV: the time, then kinds.
local now = time(ARGV[1])
for i = 2, #ARGV do
    for priority = 0, 2 do
        if redis.call('EXISTS', P .. 'ready:' .. lane(ARGV[i], priority)) == 1 then
            return 1
        end
    end
    for _, waits in ipairs({ 'delayed:', 'running:' }) do
        if redis.call('ZCOUNT', P .. waits .. ARGV[i], '-inf', fmt(now)) > 0 then
            return 1
        end
    end
end
return 0
