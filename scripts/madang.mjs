#!/usr/bin/env node
// The `madang` command: sets up what is missing, then runs it.
import { checkNode } from './node-version.mjs'

if (checkNode()) import('./launch.mjs').then(({ launch }) => launch(import.meta.url, process.argv.slice(2)))
