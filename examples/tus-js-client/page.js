import { grants } from './grants.js'
import { Transfer, unfinished } from './transfer.js'

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content
const endpoint = new URL(meta('tus-endpoint'), location.href).href
const grantFor = meta('grants') ? grants(meta('grants')) : () => undefined

const transfers = new Map()
const notice = document.getElementById('notice')
const input = document.getElementById('files')

input.addEventListener('change', (event) => {
  notice.textContent = ''
  for (const file of event.target.files) add(file)
  // So that the same file can be chosen again.
  event.target.value = ''
})

function add(file) {
  const key = [file.name, file.size, file.lastModified].join()
  const known = transfers.get(key)
  if (known?.transfer.state === 'failed') known.row.remove()
  else if (known && known.transfer.state !== 'done') {
    // Twice at the same time would be two that write to one upload.
    notice.textContent = `${file.name} is in the list already: it has the same size and date.`
    return
  }
  const row = document.getElementById('row').content.firstElementChild.cloneNode(true)
  const transfer = new Transfer(file, {
    endpoint,
    parts: Number(document.getElementById('parts').value),
    grantFor,
    onChange: () => show(row, transfer),
  })
  row.querySelector('.name').textContent = file.name
  row.querySelector('button').addEventListener('click', () => {
    if (pausable(transfer)) transfer.pause()
    else transfer.start()
  })
  transfers.set(key, { transfer, row })
  document.getElementById('transfers').append(row)
  transfer.start()
  forget(file)
}

function show(row, transfer) {
  const { file, sent, state } = transfer
  const part = file.size ? sent / file.size : Number(state === 'done')
  row.dataset.state = state
  row.querySelector('progress').value = part
  row.querySelector('.size').textContent =
    state === 'done' ? size(file.size) : `${size(sent)} of ${size(file.size)}`
  const percent = Math.floor(part * 100)
  // Screen readers read out what is in the message: what happened, and not each percent.
  row.querySelector('.percent').textContent = state === 'uploading' ? `${percent} %` : ''
  tell(row.querySelector('.message'), message(transfer, percent))
  const button = row.querySelector('button')
  button.hidden = state === 'done'
  button.textContent = pausable(transfer) ? 'Pause' : state === 'paused' ? 'Resume' : 'Try again'
  button.ariaLabel = `${button.textContent}: ${file.name}`
  if (state === 'done') row.querySelector('.name').href = transfer.url
}

function message({ state, problem }, percent) {
  return {
    uploading: '',
    retrying: `${problem} Trying again.`,
    offline: 'No network. It goes on by itself when there is one.',
    paused: `Paused at ${percent} %`,
    failed: problem,
    done: 'Uploaded',
  }[state]
}

function pausable({ state }) {
  return ['uploading', 'retrying', 'offline'].includes(state)
}

// The same again would be read out again.
function tell(output, text) {
  if (output.textContent !== text) output.textContent = text
}

function size(bytes) {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`
  if (bytes >= 1e3) return `${(bytes / 1e3).toFixed(1)} kB`
  return bytes === 1 ? '1 byte' : `${bytes} bytes`
}

const left = document.getElementById('unfinished')

async function remind() {
  for (const upload of await unfinished(endpoint)) {
    const item = document.getElementById('left').content.firstElementChild.cloneNode(true)
    const { filename } = upload.metadata
    item.dataset.file = [filename, upload.size].join()
    item.querySelector('span').textContent = `${filename}, ${size(upload.size)}`
    const button = item.querySelector('button')
    button.ariaLabel = `Forget: ${filename}`
    button.addEventListener('click', async () => {
      await tus.defaultOptions.urlStorage.removeUpload(upload.urlStorageKey)
      drop(item)
    })
    left.querySelector('ul').append(item)
  }
  left.hidden = !left.querySelector('li')
}

function forget(file) {
  for (const item of left.querySelectorAll('li')) {
    if (item.dataset.file === [file.name, file.size].join()) drop(item)
  }
}

function drop(item) {
  item.remove()
  left.hidden = !left.querySelector('li')
}

if (window.tus) remind()
else {
  input.disabled = true
  notice.textContent = 'tus-js-client is not there: run "npm ci" in the folder of this page.'
}
