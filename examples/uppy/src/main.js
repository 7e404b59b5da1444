import Uppy from '@uppy/core'
import Dashboard from '@uppy/dashboard'
import Tus from '@uppy/tus'

import '@uppy/core/css/style.min.css'
import '@uppy/dashboard/css/style.min.css'
import './style.css'

import { explain } from './explain.js'
import { grants, Refused } from './grants.js'

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content

const uppy = new Uppy()
  .use(Dashboard, {
    target: '#dashboard',
    inline: true,
    width: '100%',
    height: 380,
    theme: 'auto',
    showLinkToFileUploadResult: true,
    proudlyDisplayPoweredByUppy: false,
  })
  .use(Tus, {
    endpoint: meta('tus-endpoint'),
    // A browser opens six connections to a server over HTTP/1.1: one is left for other things.
    limit: 5,
    // Counted anew whenever bytes got through, so this is how long one outage may last: two minutes.
    retryDelays: [0, 1000, 3000, 5000, 10_000, 20_000, 20_000, 30_000, 30_000],
    // Without it, the same file chosen again would be taken for uploaded.
    removeFingerprintOnSuccess: true,
    // Of all that Uppy knows of a file; it sends them as filename and filetype, too.
    allowedMetaFields: ['name', 'type'],
    onBeforeRequest: meta('grants') ? grants(meta('grants')) : undefined,
    onShouldRetry: (error, attempt, options, usual) =>
      !(error.causingError instanceof Refused) && usual(error),
  })

// What Uppy says by itself has the request in it, and is nothing for people.
uppy.on('upload-error', (file, error, response) => {
  const problem = explain(error, response)
  uppy.setFileState(file.id, { error: problem })
  uppy.setState({ error: problem })
  uppy.info(`${file.name}: ${problem}`, 'error', 10_000)
})
