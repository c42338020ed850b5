import { describe, expect, it } from 'vitest'
import { ConfigsImage } from '../../../../broker/metadata/configs-image.ts'

const set = (resourceName: string, name: string, value: string | null, resourceType = 2) => ({
  resourceType,
  resourceName,
  name,
  value,
})

describe('ConfigsImage', () => {
  it('keeps values by resource and forgets a resource with its last value', () => {
    const configs = new ConfigsImage()
    configs.apply(set('t', 'a', '1'))
    configs.apply(set('t', 'b', '2'))
    configs.apply(set('t', 'a', '3', 4))
    expect(configs.of(2, 't')).toEqual(new Map(Object.entries({ a: '1', b: '2' })))
    expect(configs.of(4, 't')).toEqual(new Map([['a', '3']]))
    configs.apply(set('t', 'a', null))
    configs.apply(set('t', 'b', null))
    configs.apply(set('t', 'unknown', null))
    expect(configs.of(2, 't').size).toBe(0)
    expect([...configs.resources()]).toEqual([{ resourceType: 4, resourceName: 't' }])
  })

  it('lists names that hold the separator of its own keys', () => {
    const configs = new ConfigsImage()
    configs.apply(set('a:b:c', 'x', '1', 32))
    configs.apply(set('', 'x', '1', 4))
    expect([...configs.resources()]).toEqual([
      { resourceType: 32, resourceName: 'a:b:c' },
      { resourceType: 4, resourceName: '' },
    ])
  })

  it('leaves maps that were given out as they were', () => {
    const configs = new ConfigsImage()
    configs.apply(set('t', 'a', '1'))
    const before = configs.of(2, 't')
    const copy = configs.clone()
    configs.apply(set('t', 'a', '2'))
    expect(before.get('a')).toBe('1')
    expect(copy.of(2, 't').get('a')).toBe('1')
    expect(configs.of(2, 't').get('a')).toBe('2')
  })
})
