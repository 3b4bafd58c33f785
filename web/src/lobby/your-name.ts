import { useState } from 'react'
import { recall, remember } from '../remembered.ts'

/** As the protocol has it (docs/protocol.md, "player"). */
export const NAME_CHARACTERS = 40

/** The name that this browser remembers, and how to change it. */
export const useYourName = (): [name: string, setName: (name: string) => void] => {
  const [name, setName] = useState(() => recall('browser', 'name') ?? '')
  return [
    name,
    (changed) => {
      setName(changed)
      remember('browser', 'name', changed.trim() === '' ? null : changed.trim())
    },
  ]
}
