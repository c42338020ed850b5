import {
  ALL,
  DATA,
  failedWith,
  isField,
  NOWHERE,
  numberOf,
  probesOf,
  QUORUM,
  REPLICATED,
  sizeOf,
  tells,
  type EventProbe,
} from './event-probe.ts'

const controller = probesOf('controller', ALL)
const broker = probesOf('broker', ALL)

/** What the controller decides, and what brokers hear of it. */
export const CONTROLLER_PROBES: readonly EventProbe[] = [
  controller('activated', 'controller.activated', 'a controller took office'),
  controller(
    'activated-again',
    'controller.activated',
    'a controller took office in epoch 3 or later',
    (fields) => {
      return numberOf(fields, 'epoch') >= 3
    },
    QUORUM,
  ),
  controller('resigned', 'controller.resigned', 'a controller left office', undefined, QUORUM),
  controller('elected', 'controller.leader-elected', 'a partition got another leader'),
  controller(
    'elected-uncleanly',
    'controller.leader-elected',
    'a leader came from outside of the ISR',
    isField('isUnclean', true),
    NOWHERE,
  ),
  controller(
    'elected-nobody',
    'controller.leader-elected',
    'a partition lost its leader and had no other',
    isField('leader', -1),
  ),
  controller(
    'elected-last',
    'controller.leader-elected',
    'the last member of an ISR was elected',
    (fields) => {
      return fields['leader'] !== -1 && sizeOf(fields, 'isr') === 1
    },
    REPLICATED,
  ),
  controller(
    'isr-changed',
    'controller.isr-changed',
    'a leader’s wish for another ISR was granted',
    undefined,
    REPLICATED,
  ),
  controller(
    'isr-grew',
    'controller.isr-changed',
    'an ISR grew',
    (fields) => {
      return sizeOf(fields, 'isr') > sizeOf(fields, 'previousIsr')
    },
    REPLICATED,
  ),
  controller(
    'isr-shrank',
    'controller.isr-changed',
    'an ISR shrank by its leader’s wish',
    (fields) => {
      return sizeOf(fields, 'isr') < sizeOf(fields, 'previousIsr')
    },
    DATA,
  ),
  controller(
    'isr-refused-as-fenced',
    'controller.isr-refused',
    'a replaced leader asked for another ISR',
    failedWith('FENCED_LEADER_EPOCH'),
    DATA,
  ),
  controller(
    'isr-refused-as-overtaken',
    'controller.isr-refused',
    'an ISR had changed before the request came',
    failedWith('INVALID_UPDATE_VERSION'),
    DATA,
  ),
  controller(
    'isr-refused-as-ineligible',
    'controller.isr-refused',
    'a fenced or restarted replica was proposed for an ISR',
    failedWith('INELIGIBLE_REPLICA'),
    DATA,
  ),
  controller(
    'isr-refused-as-behind',
    'controller.isr-refused',
    'a leader knew more than the controller that it asked',
    failedWith('NOT_CONTROLLER'),
    NOWHERE,
  ),
  broker(
    'fenced-for-silence',
    'controller.broker-fenced',
    'a session timed out',
    tells('reason', 'timed out'),
  ),
  broker('registered', 'controller.broker-registered', 'a broker registered'),
  broker(
    'registration-refused',
    'controller.registration-refused',
    'a broker came back before its session was over',
  ),
  broker('unfenced', 'controller.broker-unfenced', 'a broker was unfenced'),
  broker(
    'shutting-down',
    'controller.broker-shutting-down',
    'a broker gave up its leaderships',
    undefined,
    REPLICATED,
  ),
  broker('left', 'controller.broker-left', 'a broker left in good order', undefined, REPLICATED),
  broker(
    'unregistered',
    'controller.broker-unregistered',
    'a broker was removed',
    undefined,
    NOWHERE,
  ),
  broker(
    'heartbeat-refused',
    'broker.refused',
    'a heartbeat of an earlier registration was refused',
    isField('request', 'heartbeat'),
    NOWHERE,
  ),
  broker(
    'registration-repeated',
    'broker.refused',
    'a broker was told to wait with its registration',
    isField('request', 'registration'),
  ),
  broker('ready', 'broker.unfenced', 'a broker learned that it is unfenced'),
  controller('topic-created', 'controller.topic-created', 'a topic was created'),
  controller('topic-deleted', 'controller.topic-deleted', 'a topic was deleted', undefined, QUORUM),
  controller(
    'topic-creation-refused',
    'topic.creation-refused',
    'a topic could not be created by a broker',
    undefined,
    NOWHERE,
  ),
]
