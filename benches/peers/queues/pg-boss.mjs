// How many no-op jobs a second does pg-boss complete?
//
// node pg-boss.mjs [JOBS [BATCH]] — prints one line of JSON. A schema of its own is filled before the clock starts, worked
// off by 8 workers that fetch and complete BATCH jobs (250) at a time, and dropped afterwards. Each worker is notified
// while it works, so that none waits for its polling interval: that is as fast as pg-boss goes.

import { randomUUID } from 'node:crypto'
import PgBoss from 'pg-boss'

const jobs = Number(process.argv[2] ?? 20_000)
const batchSize = Number(process.argv[3] ?? 250)
const connectionString = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const schema = `bench_pgboss_${randomUUID().replaceAll('-', '')}`
const boss = new PgBoss({ connectionString, schema, max: 10, supervise: false, schedule: false })
boss.on('error', (error) => { throw error })

await boss.start()
try {
  const queue = 'bench'
  await boss.createQueue(queue)
  for (let from = 0; from < jobs; from += 1_000) {
    const bulk = Array.from({ length: Math.min(1_000, jobs - from) }, (_, n) => ({
      name: queue,
      data: { connection: `cn_${from + n}`, stream: 'primary' }
    }))
    await boss.insert(bulk)
  }
  await boss.getDb().executeSql(`ANALYZE ${schema}.job`)

  let taken = 0
  let allTaken
  const all = new Promise((resolve) => { allTaken = resolve })
  const begun = performance.now()
  await Promise.all(Array.from({ length: 8 }, async () => {
    let id
    id = await boss.work(queue, { batchSize, pollingIntervalSeconds: 0.5 }, async (batch) => {
      taken += batch.length
      boss.notifyWorker(id)
      if (taken >= jobs) allTaken()
    })
  }))
  await all
  const unfinished = `SELECT count(*)::int AS jobs FROM ${schema}.job WHERE name = '${queue}' AND state < 'completed'`
  while ((await boss.getDb().executeSql(unfinished)).rows[0].jobs > 0) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const seconds = (performance.now() - begun) / 1_000
  console.log(JSON.stringify({ jobs, seconds, perSecond: jobs / seconds }))
} finally {
  await boss.getDb().executeSql(`DROP SCHEMA ${schema} CASCADE`)
  await boss.stop({ graceful: false, wait: true })
}
