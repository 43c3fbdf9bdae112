-- Leases jobs. ARGV: the time, the most leases that a job may lose, the failure that the last one means, and for each
-- request the worker, the time to live, the number of kinds, and of each kind its name and how many are wanted.
local now = time(ARGV[1])
local most_lost, lease_lost = tonumber(ARGV[2]), ARGV[3]
local BATCH = 1000

-- Leases that have run out.
local function reap(kind)
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'running:' .. kind, '-inf', fmt(now), 'LIMIT', 0, BATCH)) do
        if redis.call('HINCRBY', job(id), 'lost', 1) >= most_lost then
            redis.call('HSET', job(id), 'failure', lease_lost)
            finish(id, 'dead', now)
        else
            put_back(id, now, now)
        end
    end
end

-- Jobs whose time has come.
local function ripen(kind)
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'delayed:' .. kind, '-inf', fmt(now), 'LIMIT', 0, BATCH)) do
        local held = redis.call('HMGET', job(id), 'priority', 'tenant', 'user', 'due')
        redis.call('ZREM', P .. 'delayed:' .. kind, id)
        make_ready(id, kind, tonumber(held[1]), owner_of(held[2], held[3]), tonumber(held[4]))
    end
end

-- Whoever is behind the present turn is forgotten: they begin at it.
local function prune(kind, priority)
    local ready, turns = P .. 'ready:' .. lane(kind, priority), P .. 'turns:' .. lane(kind, priority)
    local first = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')[2]
    if first then
        redis.call('ZREMRANGEBYSCORE', turns, '-inf', '(' .. first)
    else
        redis.call('ZREMRANGEBYRANK', turns, 0, -2)
    end
end

local function fence()
    if redis.call('EXISTS', P .. 'fence') == 0 then
        redis.call('SET', P .. 'fence', fmt(now))
    end
    return redis.call('INCR', P .. 'fence')
end

local function take(leases, kind, most, worker, ttl)
    for priority = 0, 2 do
        local left = most - #leases.of_kind
        if left <= 0 then
            return
        end
        local popped = redis.call('ZPOPMIN', P .. 'ready:' .. lane(kind, priority), left)
        for i = 1, #popped, 2 do
            local id, mark = popped[i], fmt(fence())
            redis.call('ZREM', P .. 'since:' .. kind, id)
            redis.call('ZADD', P .. 'running:' .. kind, fmt(now + ttl), id)
            redis.call('HSET', job(id), 'state', 'running', 'fence', mark, 'started', fmt(now), 'worker', worker,
                'due', fmt(now + ttl))
            local held = redis.call('HMGET', job(id), 'kind', 'tenant', 'user', 'key', 'payload', 'priority', 'failures',
                'lost', 'at')
            leases.of_kind[#leases.of_kind + 1] = id
            leases.all[#leases.all + 1] = { id, mark, held }
        end
        if #popped > 0 then
            prune(kind, priority)
        end
    end
end

local answers = {}
local i = 4
while i <= #ARGV do
    local worker, ttl, kinds = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    i = i + 3
    local leases, next_due = { all = {} }, nil
    for _ = 1, kinds do
        local kind, most = ARGV[i], tonumber(ARGV[i + 1])
        i = i + 2
        reap(kind)
        ripen(kind)
        leases.of_kind = {}
        take(leases, kind, most, worker, ttl)
        for _, waits in ipairs({ 'delayed:', 'running:' }) do
            local first = redis.call('ZRANGE', P .. waits .. kind, 0, 0, 'WITHSCORES')[2]
            if first and (not next_due or tonumber(first) < next_due) then
                next_due = tonumber(first)
            end
        end
    end
    answers[#answers + 1] = { next_due and fmt(math.max(next_due - now, 0)) or '', leases.all }
end
wake()
return answers
