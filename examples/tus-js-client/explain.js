import { Refused } from './grants.js'

// What a person can make of an error: the server's own words, where there are some.
export function explain(error) {
  if (error.originalResponse) return answered(error.originalResponse)
  if (error.causingError instanceof Refused) return error.causingError.message
  // The browser does not tell which of the two it is.
  if (error.originalRequest) return 'The server cannot be reached, or does not let this page in.'
  return error.message
}

function answered(response) {
  const status = response.getStatus()
  try {
    return JSON.parse(response.getBody()).detail ?? `The server answered ${status}.`
  } catch {
    return `The server answered ${status}.`
  }
}
