const CHUNK = 8192
const STRICT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The bytes in base64, with padding. Pure. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(binary)
}

/** The bytes that a base64 text with padding stands for; null where it is none. Pure. */
export const fromBase64 = (text: string): Uint8Array | null =>
  STRICT.test(text) ? Uint8Array.from(atob(text), (char) => char.charCodeAt(0)) : null
