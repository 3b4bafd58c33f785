// k6's TextEncoder has no `encodeInto`, which the codec calls for strings of more than 50 characters. Imported before the codec.
const Native = TextEncoder

globalThis.TextEncoder = class {
  readonly encoding = 'utf-8'
  readonly #native = new Native()

  encode(text?: string): Uint8Array<ArrayBuffer> {
    return this.#native.encode(text)
  }

  encodeInto(text: string, target: Uint8Array): TextEncoderEncodeIntoResult {
    const bytes = this.encode(text)
    target.set(bytes)
    return { read: text.length, written: bytes.length }
  }
}
