import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import type { Exchange } from './handshakes.ts'

const BYTES_SHOWN = 24
const CHARACTERS_SHOWN = 150

/** An exchange as a block of Markdown: headers as they are, frames as hexadecimal bytes and what they say; tokens are cut short. Pure. */
export const transcript = ({ title, turns }: Exchange): string => {
  let isUpgraded = false
  const lines: string[] = []
  for (const { up, bytes } of turns) {
    const arrow = up ? '→' : '←'
    if (isUpgraded)
      lines.push(...messagesOf(bytes).map(({ head, message }) => `${arrow} ${hex(head)} ${shown(message)}`))
    else lines.push(...httpLines(arrow, bytes))
    lines.push('')
    isUpgraded ||= !up && bytes.toString('latin1').startsWith('HTTP/1.1 101 ')
  }
  return `**${title}**\n\n\`\`\`text\n${lines.join('\n').trimEnd()}\n\`\`\``
}

const httpLines = (arrow: string, bytes: Buffer): string[] => {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.toString('latin1', 0, end).split('\r\n')
  const body = bytes.subarray(end + 4)
  const isBinary = head.some((line) => /^content-type: *application\/vnd\.msgpack/i.test(line))
  const said = body.length === 0 ? [] : isBinary ? [shown(body)] : body.toString().trimEnd().split(/\r?\n/)
  return [
    `${head.map((line) => `${arrow} ${short(line)}`).join('\n')}\n${arrow}`,
    ...said.map((line) => `${arrow} ${clipped(short(line))}`.trimEnd()),
  ]
}

/** WebSocket messages of up to 64 KiB, each with its head. */
const messagesOf = (bytes: Buffer): { head: Buffer; message: Buffer }[] => {
  const messages: { head: Buffer; message: Buffer }[] = []
  for (let at = 0; at < bytes.length; ) {
    const short = (bytes[at + 1] ?? 0) & 127
    const isMasked = ((bytes[at + 1] ?? 0) & 128) !== 0
    const length = short < 126 ? short : bytes.readUInt16BE(at + 2)
    const begin = at + (short < 126 ? 2 : 4) + (isMasked ? 4 : 0)
    messages.push({ head: bytes.subarray(at, begin), message: bytes.subarray(begin, begin + length) })
    at = begin + length
  }
  return messages
}

const hex = (bytes: Buffer): string => bytes.toString('hex').replace(/../g, '$& ').trimEnd()

const shown = (message: Buffer): string => {
  const more = message.length > BYTES_SHOWN ? ' …' : ''
  return `${hex(message.subarray(0, BYTES_SHOWN))}${more}\n      ${clipped(short(said(message)))}`
}

const said = (message: Buffer): string => {
  try {
    return JSON.stringify(decode(message, SERVER_LIMITS))
  } catch {
    return `(${message.length} bytes: several frames)`
  }
}

const short = (line: string): string => line.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, (token) => `${token.slice(0, 8)}…`)

const clipped = (line: string): string =>
  line.length > CHARACTERS_SHOWN ? `${line.slice(0, CHARACTERS_SHOWN)} …` : line
