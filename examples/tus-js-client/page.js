import { grants } from './grants.js'
import { Transfer, unfinished } from './transfer.js'

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content
const endpoint = new URL(meta('tus-endpoint'), location.href).href
const grantFor = meta('grants') ? grants(meta('grants')) : () => undefined

const transfers = new Map()

document.getElementById('files').addEventListener('change', (event) => {
  for (const file of event.target.files) add(file)
  // So that the same file can be chosen again.
  event.target.value = ''
})

function add(file) {
  const key = [file.name, file.size, file.lastModified].join()
  // Twice at the same time would be two that write to one upload.
  if (transfers.has(key) && transfers.get(key).state !== 'done') return
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
  transfers.set(key, transfer)
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
    state === 'done' ? megabytes(file.size) : `${megabytes(sent)} of ${megabytes(file.size)}`
  row.querySelector('.message').textContent = message(transfer, Math.floor(part * 100))
  const button = row.querySelector('button')
  button.hidden = state === 'done'
  button.textContent = pausable(transfer) ? 'Pause' : state === 'paused' ? 'Resume' : 'Try again'
  if (state === 'done') row.querySelector('.name').href = transfer.url
}

function message({ state, problem }, percent) {
  return {
    uploading: `${percent} %`,
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

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

const left = document.getElementById('unfinished')

async function remind() {
  for (const upload of await unfinished(endpoint)) {
    const item = document.createElement('li')
    item.textContent = `${upload.metadata.filename}, ${megabytes(upload.size)}`
    left.querySelector('ul').append(item)
  }
  left.hidden = !left.querySelector('li')
}

function forget(file) {
  for (const item of left.querySelectorAll('li')) {
    if (item.textContent === `${file.name}, ${megabytes(file.size)}`) item.remove()
  }
  left.hidden = !left.querySelector('li')
}

remind()
