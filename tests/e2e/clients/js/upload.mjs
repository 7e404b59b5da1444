// Uploads one file with tus-js-client and reports what it did as one line of JSON.
//
// Its only argument is a JSON object:
//   file       path of the file
//   options    options for tus-js-client, as they are
//   source     how to hand over the file: 'file' (default), 'buffer', or 'stream', which does
//              not know its length
//   urlStore   path of the file that remembers upload URLs between processes
//   resume     true: go on with the upload that urlStore remembers
//   abortAt    stop, as a user would, once the server has accepted this many bytes
//   terminate  URL of an upload to delete instead of uploading a file

import { createReadStream, readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import * as tus from 'tus-js-client'

const REPORTED_HEADERS = [
  'Upload-Concat',
  'Upload-Defer-Length',
  'Upload-Length',
  'Upload-Offset',
  'X-HTTP-Method-Override',
]

const task = JSON.parse(process.argv[2])
const requests = []

function recordRequests() {
  const open = new Map()
  return {
    onBeforeRequest(request) {
      const headers = {}
      for (const name of REPORTED_HEADERS) {
        const value = request.getHeader(name)
        if (value !== undefined) headers[name] = value
      }
      const entry = { method: request.getMethod(), url: request.getURL(), headers, status: null }
      open.set(request, entry)
      requests.push(entry)
    },
    onAfterResponse(request, response) {
      open.get(request).status = response.getStatus()
    },
  }
}

function openSource() {
  if (task.source === 'buffer') return readFileSync(task.file)
  const file = createReadStream(task.file)
  // tus-js-client waits for ever at the end of a file stream of which it may not ask the size;
  // behind a PassThrough it sees the end.
  return task.source === 'stream' ? file.pipe(new PassThrough()) : file
}

function upload() {
  return new Promise((resolve, reject) => {
    const options = {
      retryDelays: null,
      ...(task.urlStore && { urlStorage: new tus.FileUrlStorage(task.urlStore) }),
      ...task.options,
      ...recordRequests(),
      onSuccess: () => resolve({ outcome: 'finished', url: running.url }),
      onError: (error) => resolve({ outcome: 'failed', url: running.url, error: String(error) }),
      onChunkComplete(_size, accepted) {
        if (task.abortAt === undefined || accepted < task.abortAt) return
        running.abort().then(() => resolve({ outcome: 'aborted', url: running.url }), reject)
      },
    }
    const running = new tus.Upload(openSource(), options)
    if (!task.resume) return running.start()
    running.findPreviousUploads().then((previous) => {
      running.resumeFromPreviousUpload(previous[0])
      running.start()
    }, reject)
  })
}

async function terminate() {
  await tus.Upload.terminate(task.terminate, { ...task.options, ...recordRequests() })
  return { outcome: 'terminated', url: task.terminate }
}

const { url, ...result } = await (task.terminate ? terminate() : upload())
console.log(JSON.stringify({ ...result, url: url ?? '', requests }))
