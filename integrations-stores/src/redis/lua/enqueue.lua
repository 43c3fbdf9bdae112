-- Puts jobs into the queue. ARGV: the time, then eight values for each job.
local now = time(ARGV[1])
local answers = {}
for i = 2, #ARGV, 8 do
    answers[#answers + 1] = enqueue({
        kind = ARGV[i],
        tenant = ARGV[i + 1],
        user = ARGV[i + 2],
        key = ARGV[i + 3],
        twin = ARGV[i + 4],
        payload = ARGV[i + 5],
        priority = tonumber(ARGV[i + 6]),
        due = now + tonumber(ARGV[i + 7]),
    }, now)
end
wake()
return answers
