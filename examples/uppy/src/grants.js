// Asks the application for a grant, and sends it with the creation of an upload.
//
// Nothing else needs one: the URL that a creation gives is enough for all that follows.
export function grants(url) {
  const asked = new WeakMap()

  const ask = (file) =>
    fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ length: file.size }),
    }).then(read)

  return async (request, file) => {
    if (request.getMethod() !== 'POST') return
    // Asked again because an answer got lost, it has to be the same grant: it leads to the
    // same upload. Only one that never came is asked for again.
    if (!asked.has(file)) asked.set(file, ask(file))
    try {
      request.setHeader('Authorization', `Bearer ${await asked.get(file)}`)
    } catch (error) {
      asked.delete(file)
      throw error
    }
  }
}

// Said no, and would say it again.
export class Refused extends Error {}

async function read(response) {
  if (response.status >= 400 && response.status < 500) {
    throw new Refused('You may not upload this file.')
  }
  if (!response.ok) throw new Error('There is no grant to be had.')
  return (await response.json()).grant
}
