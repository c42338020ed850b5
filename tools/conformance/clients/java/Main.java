import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The Java clients: one line for each step, 1 on a failure. */
public final class Main {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final List<String> CODECS = List.of("gzip", "lz4", "snappy", "zstd");
  private final Map<String, Object> common;
  private final String topic = "java-" + ProcessHandle.current().pid();
  private final Admin admin;

  private Main(String bootstrap) {
    common = Map.of("bootstrap.servers", bootstrap);
    admin = Admin.create(common);
  }

  public static void main(String[] args) {
    Main main = new Main(args[0]);
    Map<String, Callable<?>> steps = new LinkedHashMap<>();
    steps.put("admin", main::adminStep);
    steps.put("produce", () -> main.send(main.topic, List.of("a", "b", "c"), Map.of()));
    steps.put("consume", () -> check(main.read(main.topic + "-consume", main.topic, 3), List.of("a", "b", "c")));
    steps.put("group", main::groupStep);
    steps.put("codecs", main::codecsStep);
    steps.forEach(
        (name, step) -> {
          try {
            step.call();
            System.out.println(name + " ok");
          } catch (Exception error) {
            System.out.println(name + " failed: " + error);
            System.exit(1);
          }
        });
    System.exit(0);
  }

  private Object adminStep() throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all().get();
    admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "5000"), AlterConfigOp.OpType.SET);
    admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
    String value =
        admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
    check(value, "5000");
    return check(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size(), 3);
  }

  private Object send(String to, List<String> values, Map<String, Object> settings) throws Exception {
    Map<String, Object> all = new HashMap<>(common);
    all.putAll(settings);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(all, new StringSerializer(), new StringSerializer())) {
      for (String value : values) producer.send(new ProducerRecord<>(to, value, value)).get();
    }
    return null;
  }

  private List<String> read(String group, String from, int count) {
    Map<String, Object> all = new HashMap<>(common);
    all.put("group.id", group);
    all.put("auto.offset.reset", "earliest");
    all.put("enable.auto.commit", "false");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(from));
      long end = System.nanoTime() + TIMEOUT.toNanos();
      while (values.size() < count && System.nanoTime() < end) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          values.add(record.value());
        }
      }
      consumer.commitSync();
    }
    Collections.sort(values);
    return values;
  }

  private Object groupStep() throws Exception {
    String group = topic + "-consume";
    check(
        admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState().toString(), "Empty");
    long sum =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values().stream()
            .mapToLong(offset -> offset.offset())
            .sum();
    check(sum, 3L);
    return admin.deleteConsumerGroups(List.of(group)).all().get();
  }

  private Object codecsStep() throws Exception {
    String packed = topic + "-codecs";
    admin.createTopics(List.of(new NewTopic(packed, 1, (short) 1))).all().get();
    for (String codec : CODECS) send(packed, List.of(codec), Map.of("compression.type", codec));
    check(read(packed + "-read", packed, CODECS.size()), CODECS);
    return admin.deleteTopics(List.of(topic, packed)).all().get();
  }

  private static Object check(Object seen, Object wanted) {
    if (!seen.equals(wanted)) throw new IllegalStateException("expected " + wanted + ", got " + seen);
    return null;
  }
}
