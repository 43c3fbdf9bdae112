-- What the scripts of the queue share. KEYS[1] is the beginning of every key, with its hash tag.
--
-- Ids are numbers of sixteen digits, so that their order as texts is that in which jobs came. Times are microseconds.
-- Lua's own way to write numbers loses digits of them: fmt() does not.

local P = KEYS[1]
local woken = {}

local function fmt(number)
    return string.format('%.0f', number)
end

local function time(given)
    if given ~= '' then
        return tonumber(given)
    end
    local now = redis.call('TIME')
    return tonumber(now[1]) * 1000000 + tonumber(now[2])
end

local function job(id)
    return P .. 'job:' .. id
end

local function count(kind, what, by)
    redis.call('HINCRBY', P .. 'count:' .. kind, what, by)
end

-- A user, so that no tenant and user look like others.
local function owner_of(tenant, user)
    return #tenant .. ':' .. tenant .. user
end

-- A priority is one digit at the end, so that lanes of odd kinds stay apart.
local function lane(kind, priority)
    return kind .. ':' .. priority
end

-- A job is ready: it gets its turn.
local function make_ready(id, kind, priority, owner, due)
    local ready, turns = P .. 'ready:' .. lane(kind, priority), P .. 'turns:' .. lane(kind, priority)
    local first = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')[2]
    local floor
    if first then
        floor = tonumber(first)
    else
        floor = tonumber(redis.call('ZREVRANGE', turns, 0, 0, 'WITHSCORES')[2] or '0') + 1
    end
    local turn = floor
    local last = redis.call('ZSCORE', turns, owner)
    if last and tonumber(last) + 1 > turn then
        turn = tonumber(last) + 1
    end
    redis.call('ZADD', turns, fmt(turn), owner)
    redis.call('ZADD', ready, fmt(turn), id)
    redis.call('ZADD', P .. 'since:' .. kind, fmt(due), id)
end

-- A job waits: for a worker, or for its time.
local function make_waiting(id, kind, priority, owner, due, now)
    if due <= now then
        make_ready(id, kind, priority, owner, due)
    else
        redis.call('ZADD', P .. 'delayed:' .. kind, fmt(due), id)
    end
    woken[kind] = true
end

-- A job does not wait any more, or not there.
local function stop_waiting(id, kind, priority)
    if redis.call('ZREM', P .. 'delayed:' .. kind, id) == 0 then
        redis.call('ZREM', P .. 'ready:' .. lane(kind, priority), id)
        redis.call('ZREM', P .. 'since:' .. kind, id)
    end
end

-- Adds a job that has no twin.
local function add(new, now)
    local id = string.format('%016.0f', redis.call('INCR', P .. 'last'))
    redis.call('HSET', job(id), 'kind', new.kind, 'tenant', new.tenant, 'user', new.user, 'payload', new.payload,
        'priority', new.priority, 'state', 'waiting', 'failures', '0', 'lost', '0', 'at', fmt(now), 'due', fmt(new.due))
    if new.twin ~= '' then
        redis.call('HSET', job(id), 'key', new.key, 'twin', new.twin)
        redis.call('SET', P .. 'twin:' .. new.twin, id)
    end
    redis.call('ZADD', P .. 'ids', id, id)
    redis.call('SADD', P .. 'kinds', new.kind)
    make_waiting(id, new.kind, new.priority, owner_of(new.tenant, new.user), new.due, now)
    return id
end

-- Puts a job into the queue; says under which id, and how.
local function enqueue(new, now)
    local id = new.twin ~= '' and redis.call('GET', P .. 'twin:' .. new.twin)
    if not id then
        return { add(new, now), 'added' }
    end
    local held = redis.call('HMGET', job(id), 'state', 'priority', 'due', 'failures', 'again', 'again_priority', 'again_due')
    if held[1] == 'running' then
        local priority, due = new.priority, new.due
        if held[5] then
            priority = math.min(priority, tonumber(held[6]))
            due = math.min(due, tonumber(held[7]))
        end
        redis.call('HSET', job(id), 'again', '1', 'again_payload', new.payload, 'again_priority', priority,
            'again_due', fmt(due))
        return { id, 'again' }
    end
    local due = tonumber(held[3])
    local now_due = due
    local waits_for_retry = tonumber(held[4]) > 0 and due > now
    if not waits_for_retry then
        now_due = math.min(due, new.due)
    end
    local priority = math.min(tonumber(held[2]), new.priority)
    redis.call('HSET', job(id), 'payload', new.payload, 'priority', priority, 'due', fmt(now_due))
    local is_delayed = redis.call('ZSCORE', P .. 'delayed:' .. new.kind, id)
    if (is_delayed and now_due ~= due) or (not is_delayed and priority ~= tonumber(held[2])) then
        stop_waiting(id, new.kind, held[2])
        make_waiting(id, new.kind, priority, owner_of(new.tenant, new.user), now_due, now)
    end
    return { id, 'coalesced' }
end

-- A twin that came while a job ran; nothing if none did.
local function take_again(id)
    local again = redis.call('HMGET', job(id), 'again', 'again_payload', 'again_priority', 'again_due')
    if not again[1] then
        return nil
    end
    redis.call('HDEL', job(id), 'again', 'again_payload', 'again_priority', 'again_due')
    return { payload = again[2], priority = tonumber(again[3]), due = tonumber(again[4]) }
end

-- A job that ran waits again; a twin that came meanwhile is one with it.
local function put_back(id, due, now)
    local held = redis.call('HMGET', job(id), 'kind', 'tenant', 'user', 'priority')
    local priority = tonumber(held[4])
    redis.call('ZREM', P .. 'running:' .. held[1], id)
    local again = take_again(id)
    if again then
        priority = math.min(priority, again.priority)
        redis.call('HSET', job(id), 'payload', again.payload)
    end
    redis.call('HSET', job(id), 'state', 'waiting', 'due', fmt(due), 'priority', priority)
    redis.call('HDEL', job(id), 'fence')
    make_waiting(id, held[1], priority, owner_of(held[2], held[3]), due, now)
end

-- A job is over; what comes after it, a twin that came meanwhile or the same once more, waits from now on.
local function finish(id, state, now, again_after)
    local held = redis.call('HMGET', job(id), 'kind', 'tenant', 'user', 'key', 'twin', 'payload', 'priority')
    local kind, twin = held[1], held[5] or ''
    redis.call('ZREM', P .. 'running:' .. kind, id)
    local again = take_again(id)
    redis.call('HSET', job(id), 'state', state, 'finished', fmt(now))
    redis.call('HDEL', job(id), 'fence', 'due')
    redis.call('ZADD', P .. state, fmt(now), id)
    count(kind, state .. '_ever', 1)
    count(kind, state, 1)
    if twin ~= '' then
        redis.call('DEL', P .. 'twin:' .. twin)
    end
    local next = nil
    if again_after then
        next = { payload = again_after.payload or held[6], priority = tonumber(held[7]), due = now + again_after.after }
        if again then
            next.payload = again.payload
            next.priority = math.min(next.priority, again.priority)
            next.due = math.min(next.due, again.due)
        end
    elseif again then
        next = again
    end
    if next then
        next.kind, next.tenant, next.user, next.key, next.twin = kind, held[2], held[3], held[4] or '', twin
        add(next, now)
    end
end

-- Forgets a job that is over.
local function forget(id, state)
    local kind = redis.call('HGET', job(id), 'kind')
    redis.call('DEL', job(id))
    redis.call('ZREM', P .. 'ids', id)
    redis.call('ZREM', P .. state, id)
    if kind then
        count(kind, state, -1)
    end
end

-- Tells those who wait, once for each kind.
local function wake()
    for kind in pairs(woken) do
        redis.call('PUBLISH', P .. 'news', kind)
    end
end
