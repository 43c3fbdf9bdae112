-- Puts finished jobs into the queue once more. ARGV: the time, then ids.
local now = time(ARGV[1])
local answers = {}
for i = 2, #ARGV do
    local held = redis.call('HMGET', job(ARGV[i]), 'state', 'kind', 'tenant', 'user', 'key', 'twin', 'payload', 'priority')
    if held[1] == 'done' or held[1] == 'dead' then
        answers[#answers + 1] = enqueue({
            kind = held[2],
            tenant = held[3],
            user = held[4],
            key = held[5] or '',
            twin = held[6] or '',
            payload = held[7],
            priority = tonumber(held[8]),
            due = now,
        }, now)
        if held[1] == 'dead' then
            forget(ARGV[i], 'dead')
        end
    else
        answers[#answers + 1] = {}
    end
end
wake()
return answers
