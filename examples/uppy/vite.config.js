import { defineConfig } from 'vite'

export default defineConfig({
  // The built page can lie in any folder of a site.
  base: './',
})
