/** Java's `String.hashCode`: 32 bits over the UTF-16 units. */
export function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}
