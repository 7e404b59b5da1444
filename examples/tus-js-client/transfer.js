// One file on its way to the server. No DOM here: page.js shows what it tells.

import { explain } from './explain.js'
import { Refused } from './grants.js'

// Counted anew whenever bytes got through, so this is how long one outage may last: two minutes.
const RETRY_DELAYS = [0, 1000, 3000, 5000, 10_000, 20_000, 20_000, 30_000, 30_000]
const TOO_LARGE = 413

export class Transfer {
  // One of: uploading, retrying, offline, paused, failed, done.
  state = 'paused'
  sent = 0
  problem = ''
  url = null
  #upload = null
  #running = null

  constructor(file, { endpoint, parts, grantFor, onChange }) {
    this.file = file
    this.endpoint = endpoint
    this.parts = parts
    this.grantFor = grantFor
    this.onChange = onChange
    // tus-js-client waits for a request that is under way, and tries none while it is offline.
    window.addEventListener('offline', () => {
      if (this.state === 'uploading' || this.state === 'retrying') this.#stop('offline')
    })
    window.addEventListener('online', () => {
      if (this.state === 'offline') this.start()
    })
  }

  // Begin, or go on with what is there: after a pause, an error or a reload it is the same.
  async start() {
    this.#running = new AbortController()
    const { signal } = this.#running
    this.#become('uploading')
    const upload = new tus.Upload(this.file, this.#options(signal))
    const previous = newest(await upload.findPreviousUploads())
    if (signal.aborted) return
    this.#upload = upload
    if (previous) {
      // What was begun in one piece goes on in one piece.
      if (previous.uploadUrl) upload.options.parallelUploads = 1
      upload.resumeFromPreviousUpload(previous)
    }
    signal.addEventListener('abort', () => upload.abort())
    upload.start()
  }

  pause() {
    this.#stop('paused')
  }

  #stop(state, problem) {
    this.#running.abort()
    this.#become(state, problem)
  }

  #options(signal) {
    return {
      endpoint: this.endpoint,
      metadata: { filename: this.file.name, filetype: this.file.type },
      parallelUploads: this.parts,
      retryDelays: RETRY_DELAYS,
      // Without it, the same file chosen again would be taken for uploaded.
      removeFingerprintOnSuccess: true,
      onBeforeRequest: this.grantFor(this.file, signal),
      onShouldRetry: (error, attempt, options) => {
        const again =
          !(error.causingError instanceof Refused) &&
          tus.defaultOptions.onShouldRetry(error, attempt, options)
        if (again) this.#become('retrying', explain(error))
        return again
      },
      onProgress: (sent) => {
        this.sent = sent
        this.#become('uploading')
      },
      // If one of several parts failed, the others are still under way.
      onError: (error) => {
        if (error.originalResponse?.getStatus() === TOO_LARGE) this.#forget()
        this.#stop(navigator.onLine ? 'failed' : 'offline', explain(error))
      },
      onSuccess: () => {
        this.sent = this.file.size
        this.url = this.#upload.url
        this.#become('done')
      },
    }
  }

  // Of parts that are too large together each is stored before that is known: there is no going on.
  async #forget() {
    for (const each of await this.#upload.findPreviousUploads())
      await tus.defaultOptions.urlStorage.removeUpload(each.urlStorageKey)
  }

  #become(state, problem = '') {
    this.state = state
    this.problem = problem
    this.onChange(this)
  }
}

// What earlier visits left unfinished, of this server.
export async function unfinished(endpoint) {
  const all = await tus.defaultOptions.urlStorage.findAllUploads()
  return all.filter((each) => each.urlStorageKey.includes(`-${endpoint}::`))
}

function newest(uploads) {
  const age = (upload) => Date.now() - new Date(upload.creationTime)
  return uploads.sort((one, other) => age(one) - age(other))[0]
}
