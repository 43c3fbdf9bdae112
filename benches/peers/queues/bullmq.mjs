// How many no-op jobs a second does BullMQ complete?
//
// node bullmq.mjs [JOBS] — prints one line of JSON. A queue under a prefix of its own is filled before the clock starts,
// worked off by one Worker with concurrency 8, and removed afterwards. Settings are BullMQ's defaults: jobs that are
// done are kept, as ours are.

import { randomUUID } from 'node:crypto'
import { Queue, Worker } from 'bullmq'

const jobs = Number(process.argv[2] ?? 20_000)
const url = new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
const connection = {
  host: url.hostname,
  port: Number(url.port || 6379),
  username: decodeURIComponent(url.username) || undefined,
  password: decodeURIComponent(url.password) || undefined,
  db: Number(url.pathname.slice(1) || 0),
  maxRetriesPerRequest: null
}
const options = { connection, prefix: `bench-bullmq-${randomUUID()}` }
const queue = new Queue('bench', options)

try {
  for (let from = 0; from < jobs; from += 1_000) {
    const bulk = Array.from({ length: Math.min(1_000, jobs - from) }, (_, n) => ({
      name: 'no-op',
      data: { connection: `cn_${from + n}`, stream: 'primary' }
    }))
    await queue.addBulk(bulk)
  }

  const worker = new Worker('bench', async () => {}, { ...options, concurrency: 8, autorun: false })
  await worker.waitUntilReady()
  let completed = 0
  const all = new Promise((resolve, reject) => {
    worker.on('completed', () => { if (++completed === jobs) resolve() })
    worker.on('failed', (_, error) => reject(error))
    worker.on('error', reject)
  })
  const begun = performance.now()
  const running = worker.run()
  await all
  const seconds = (performance.now() - begun) / 1_000
  await worker.close()
  await running
  console.log(JSON.stringify({ jobs, seconds, perSecond: jobs / seconds }))
} finally {
  await queue.obliterate({ force: true })
  await queue.close()
}
