/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.json.BasicJsonParser;

/** It looks for words in the schema. Here they are found by reading it as JSON, which takes too long for each start. */
class SpellingTest {
    private final Spelling spelling = new Spelling();

    /** Each key below one with properties, and whether a list may stand there. */
    private final Map<String, Boolean> keys = new HashMap<>();

    SpellingTest() {
        read(new BasicJsonParser().parseMap(Holdfast.schema()));
    }

    private void read(@Nullable Object schema) {
        if (schema instanceof List<?> several) {
            several.forEach(this::read);
        } else if (schema instanceof Map<?, ?> one) {
            if (one.get("properties") instanceof Map<?, ?> below) {
                below.forEach((key, what) -> keys.merge(String.valueOf(key), isList(what), Boolean::logicalOr));
            }
            one.values().forEach(this::read);
        }
    }

    private static boolean isList(@Nullable Object schema) {
        return schema instanceof Map<?, ?> one
                && ("array".equals(one.get("type"))
                        || (one.get("anyOf") instanceof List<?> several
                                && several.stream().anyMatch(SpellingTest::isList)));
    }

    private static ConfigurationPropertyName name(String key) {
        return ConfigurationPropertyName.of("holdfast.defaults").append(key);
    }

    @Test
    void knowsWhereAListMayStand() {
        assertThat(keys)
                .containsEntry("order", true)
                .containsEntry("silence", true)
                .containsEntry("limit", false);
        assertThat(keys.keySet().stream().filter(key -> spelling.isList(name(key))))
                .containsExactlyInAnyOrderElementsOf(
                        keys.keySet().stream().filter(keys::get).collect(Collectors.toSet()));
    }

    @Test
    void givesEachKeyTheHyphensThatAVariableCannotHave() {
        assertThat(keys).containsKey("max-attempts");
        assertThat(keys.keySet())
                .allSatisfy(key -> assertThat(spelling.of(name(key.replace("-", "")), true))
                        .containsExactly("defaults", key));
    }
}
