import { compress, decompress } from '../../wire/compression/index.ts'
import type { KafkajsExports } from './kafkajs-life.ts'

/** A codec in the form that kafkajs takes from its users. */
export interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** kafkajs itself knows gzip only; others that a topic may hold have to be given to it. */
export function addCodecs({ CompressionTypes, CompressionCodecs }: KafkajsExports): void {
  for (const name of ['Snappy', 'LZ4', 'ZSTD'] as const) {
    const codec = codecOf(name)
    CompressionCodecs[CompressionTypes[name]] = () => codec
  }
}

const CODEC_IDS = { Snappy: 2, LZ4: 3, ZSTD: 4 } as const

function codecOf(name: keyof typeof CODEC_IDS): KafkajsCodec {
  const id = CODEC_IDS[name]
  return {
    compress: ({ buffer }) => Promise.resolve(compress(id, buffer)),
    decompress: async (bytes) => Promise.resolve(decompress(id, bytes)),
  }
}
