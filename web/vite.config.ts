import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `madang start` answers while `vite` serves the page for work on it. */
const SERVER = process.env.MADANG_URL ?? 'http://127.0.0.1:3000'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The styles rest on light-dark(): older browsers would get a page without colours from any down-levelling of it.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's Content-Security-Policy allows scripts of its own origin only, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    fs: { allow: ['..'] },
    proxy: { '/v1': { target: SERVER, ws: true } },
  },
})
