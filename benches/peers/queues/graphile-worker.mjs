// How many no-op jobs a second does graphile-worker complete?
//
// node graphile-worker.mjs [JOBS] — prints one line of JSON. A schema of its own is filled before the clock starts, worked
// off by 8 workers with the batching that its documentation gives for speed (worker.graphile.org/docs/performance), and
// dropped afterwards. It deletes jobs that are done.

import { randomUUID } from 'node:crypto'
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'

const jobs = Number(process.argv[2] ?? 20_000)
const connectionString = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const schema = `bench_graphile_${randomUUID().replaceAll('-', '')}`
const logger = new Logger(() => (level, message) => { if (level === 'error') console.error(message) })
const pool = new pg.Pool({ connectionString, max: 10 })
pool.on('error', () => {})
pool.on('connect', (client) => client.on('error', () => {}))

const utils = await makeWorkerUtils({ pgPool: pool, schema, logger })
try {
  await utils.migrate()
  for (let from = 0; from < jobs; from += 1_000) {
    await utils.addJobs(Array.from({ length: Math.min(1_000, jobs - from) }, (_, n) => ({
      identifier: 'no-op',
      payload: { connection: `cn_${from + n}`, stream: 'primary' }
    })))
  }
  await pool.query(`ANALYZE ${schema}._private_jobs`)

  let taken = 0
  let allTaken
  const all = new Promise((resolve) => { allTaken = resolve })
  const preset = {
    worker: {
      schema,
      concurrentJobs: 8,
      maxPoolSize: 10,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0
    }
  }
  const begun = performance.now()
  const runner = await run({
    preset,
    pgPool: pool,
    logger,
    noHandleSignals: true,
    taskList: { 'no-op': async () => { if (++taken >= jobs) allTaken() } }
  })
  await all
  const left = `SELECT count(*)::int AS jobs FROM ${schema}._private_jobs`
  while ((await pool.query(left)).rows[0].jobs > 0) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const seconds = (performance.now() - begun) / 1_000
  await runner.stop()
  console.log(JSON.stringify({ jobs, seconds, perSecond: jobs / seconds }))
} finally {
  await pool.query(`DROP SCHEMA ${schema} CASCADE`)
  await utils.release()
  await pool.end()
}
