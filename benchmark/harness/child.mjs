// A rival or limit in another program: a persistent child that answers one request at a time and times itself, so that its rounds lie between ours.
// Request: a line of words between tabs. Answer: result, nanoseconds of processor time, and nanoseconds of each repetition, between tabs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export class Child {
  #process
  #lines
  #name

  constructor(name, program, args) {
    this.#name = name
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    // It ends with its parent, by the end of its input.
    this.#process.stdin.on('error', () => {})
    this.#lines = createInterface({ input: this.#process.stdout })
  }

  /** The next line that it prints. */
  async line() {
    const ended = new AbortController()
    const gone = once(this.#process, 'close', { signal: ended.signal }).then(() => {
      throw new Error(`${this.#name} ended without an answer`)
    })
    const line = once(this.#lines, 'line', { signal: ended.signal }).then(([text]) => text)
    try {
      return await Promise.race([line, gone])
    } finally {
      gone.catch(() => {})
      line.catch(() => {})
      ended.abort()
    }
  }

  /** Has a verb done. */
  async ask(...words) {
    const answer = this.line()
    this.#process.stdin.write(`${words.join('\t')}\n`)
    const [result, processor, ...times] = (await answer).split('\t').map(Number)
    return times.length === 1
      ? { result, processor, time: times[0] }
      : { result, processor: processor / times.length, times }
  }

  /** What a participant consists of, with one function for each verb. */
  participant(version, verbs) {
    return {
      name: this.#name,
      version,
      elsewhere: true,
      verbs: Object.fromEntries(verbs.map((verb) => [verb, (...words) => this.ask(verb, ...words)])),
      end: () => this.end(),
    }
  }

  async end() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const closed = once(this.#process, 'close')
    this.#process.stdin.end()
    await closed
  }
}
