/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.ShadowSection.Mode;
import dev.holdfast.internal.Json;
import dev.holdfast.internal.Options;
import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.spi.PolicyFactory.Range;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.stream.Stream;

/**
 * The JSON Schema (2020-12) of a configuration file, made of the options that the reader reads. It accepts each file that the
 * reader accepts. The reader is stricter: it also knows what depends on other options, and what code binds.
 */
final class Schema {
    private static final String ID = "https://holdfast.dev/schema/0.1/holdfast.schema.json";
    /** A text, which needs no quotes if it looks like something else. */
    private static final List<String> TEXT = List.of("string", "number", "boolean");

    private static final Map<String, Object> NAME = map("type", "string", "minLength", 1);
    /** Of what code binds, or {@code shared} has. */
    private static final Map<String, Object> BOUND = reference("name");

    private static final Map<String, Object> NOTHING = map("type", "null");

    private final Map<String, Object> definitions = new LinkedHashMap<>();

    private Schema() {}

    static String of(Factories factories) {
        return Json.text(new Schema().root(factories));
    }

    private Map<String, Object> root(Factories factories) {
        definitions.put("placeholder", map("type", "string", "pattern", "\\$\\{"));
        definitions.put("key", map("type", "string", "pattern", "^" + Names.FORM + "$"));
        definitions.put("name", map("type", "string", "pattern", "^" + Names.FORM + "$|\\$\\{"));
        definitions.put(
                "duration",
                map(
                        "type",
                        "string",
                        "pattern",
                        "^(-?[0-9]+(ns|us|ms|s|m|h|d)|[-+]?[Pp].*)$|\\$\\{",
                        "examples",
                        List.of("250ms")));
        Map<String, Object> sections = new LinkedHashMap<>();
        for (String key : factories.keys()) {
            factories.find(key).ifPresent(factory -> {
                definitions.put(key, withShadow(Form.of(factory)));
                sections.put(key, reference(key));
            });
        }
        definitions.put(Form.BUDGET.key(), section(Form.BUDGET));
        definitions.put(PlanReader.CLASSIFIER, classifier());
        definitions.put(Form.KEYS.key(), section(Form.KEYS));
        definitions.put(Form.HISTOGRAMS.key(), section(Form.HISTOGRAMS));
        definitions.put("pipeline", pipeline(sections));
        Map<String, Object> shared = new LinkedHashMap<>(sections);
        shared.put(Form.BUDGET.key(), reference(Form.BUDGET.key()));
        Map<String, Object> defaults = new LinkedHashMap<>(sections);
        defaults.put(PlanReader.CLASSIFIER, reference(PlanReader.CLASSIFIER));
        defaults.put(PlanReader.HISTOGRAMS, reference(Form.HISTOGRAMS.key()));
        defaults.put(PlanReader.ADVICE, advice());
        defaults.put(PlanReader.SILENCE, silence());
        return map(
                "$schema",
                "https://json-schema.org/draft/2020-12/schema",
                "$id",
                ID,
                "title",
                "Holdfast",
                "description",
                "Pipelines around the calls of a service",
                "type",
                "object",
                "additionalProperties",
                false,
                "properties",
                map(
                        "defaults",
                                described(
                                        "options of sections, where pipelines do not say them",
                                        orNothing(object(defaults))),
                        "templates",
                                described(
                                        "sections that pipelines extend", orNothing(named(all(reference("pipeline"))))),
                        "shared",
                                described(
                                        "policies that several pipelines have in common, by their names",
                                        orNothing(with(
                                                all(with(object(shared), "minProperties", 1, "maxProperties", 1)),
                                                "propertyNames",
                                                reference("key")))),
                        "pipelines", described("pipelines by their names", named(all(reference("pipeline"))))),
                "$defs",
                definitions);
    }

    /** Nothing is put into a key in place of a placeholder. No brace, which simple parsers count in texts, too. */
    private static Map<String, Object> named(Map<String, Object> sections) {
        return with(sections, "propertyNames", map("pattern", "^(?!.*\\$\\x7B)"));
    }

    private static Map<String, Object> pipeline(Map<String, Object> sections) {
        Map<String, Object> parts = new LinkedHashMap<>(sections);
        parts.put(PlanReader.CLASSIFIER, reference(PlanReader.CLASSIFIER));
        parts.put(PlanReader.KEYS_OF_A_PIPELINE, reference(Form.KEYS.key()));
        parts.put(PlanReader.HISTOGRAMS, reference(Form.HISTOGRAMS.key()));
        parts.put(PlanReader.ADVICE, advice());
        parts.put(PlanReader.SILENCE, silence());
        parts.put(
                PlanReader.ORDER,
                described(
                        "all sections, outermost first",
                        any(map("type", "array", "items", NAME), reference("placeholder"))));
        parts.put(
                Inheritance.EXTENDS,
                described(
                        "a template or another pipeline, whose sections this one has, too; standard is built in",
                        with(NAME, "type", TEXT)));
        parts.put(
                Inheritance.WITHOUT,
                described("sections that it does not take over", any(NAME, map("type", "array", "items", NAME))));
        return with(object(parts), "additionalProperties", use());
    }

    private static Map<String, Object> advice() {
        return described(
                "whether the pipeline measures its traffic, to give advice. Default: false",
                any(map("type", "boolean"), reference("placeholder")));
    }

    private static Map<String, Object> silence() {
        return described(
                "names of rules whose warnings and advice are left out",
                any(BOUND, map("type", "array", "items", BOUND)));
    }

    private static Map<String, Object> classifier() {
        Map<String, Object> item = map("type", List.of("integer", "string"));
        Map<String, Object> lists = new LinkedHashMap<>();
        for (String key : ClassifierReader.keys()) {
            lists.put(key, any(item, map("type", "array", "items", item)));
        }
        lists.put("base", described("a classifier that code binds, for what is in no list", BOUND));
        lists.put("status", described("a function that code binds, from an answer or an error to its status", BOUND));
        return described(
                "what an answer means: a name that code binds, or statuses, codes of gRPC and exceptions",
                any(BOUND, object(lists)));
    }

    private <B> Map<String, Object> section(Form<B> form) {
        Options<B> options = new Options<>(form.key(), form.builder(), form.options());
        List<Object> ways = new ArrayList<>(List.of(NOTHING));
        form.options().stream()
                .filter(option -> form.shorthand().filter(option.name()::equals).isPresent())
                .forEach(option -> ways.add(option(options, option)));
        ways.add(use());
        ways.add(mapping(options, ""));
        return map("anyOf", ways);
    }

    /** The section of a policy, which may say that it is in shadow, or have a second set of options that is. */
    @SuppressWarnings("unchecked") // schemas are maps of texts
    private <B> Map<String, Object> withShadow(Form<B> form) {
        Map<String, Object> section = section(form);
        List<Object> ways = new ArrayList<>((List<Object>) section.get("anyOf"));
        Object options = ways.remove(ways.size() - 1);
        List<Object> second = new ArrayList<>(ways.subList(1, ways.size() - 1));
        second.add(options);
        Map<String, Object> keys =
                new LinkedHashMap<>((Map<String, Object>) ((Map<String, Object>) options).get("properties"));
        keys.put(
                ShadowSection.MODE,
                described(
                        "active, or shadow: it decides and counts, and changes nothing",
                        any(
                                map(
                                        "enum",
                                        Stream.of(Mode.values())
                                                .map(Options::word)
                                                .toList()),
                                reference("placeholder"))));
        keys.put(
                ShadowSection.SECOND,
                described(
                        "options of a second policy, in shadow; where it says nothing, they are these",
                        any(second.toArray())));
        ways.add(object(keys));
        return map("anyOf", ways);
    }

    private static Map<String, Object> use() {
        return with(
                object(map(Layers.USE, described("a policy that has this name", BOUND))),
                "required",
                List.of(Layers.USE));
    }

    /** The options below this prefix. One with a dot is in a mapping further in. */
    private <B> Map<String, Object> mapping(Options<B> options, String prefix) {
        Map<String, Object> keys = new LinkedHashMap<>();
        for (Option<B, ?> option : options.list()) {
            if (option.name().startsWith(prefix)) {
                String rest = option.name().substring(prefix.length());
                int dot = rest.indexOf('.');
                keys.putIfAbsent(dot < 0 ? rest : rest.substring(0, dot), "");
            }
        }
        keys.replaceAll((key, nothing) -> key(options, prefix + key));
        return object(keys);
    }

    /** An option, a mapping of options, or either of them. */
    private <B> Map<String, Object> key(Options<B> options, String name) {
        List<Object> ways = new ArrayList<>();
        options.list().stream()
                .filter(option -> option.name().equals(name))
                .forEach(option -> ways.add(option(options, option)));
        if (options.list().stream().anyMatch(option -> option.name().startsWith(name + "."))) {
            ways.add(NOTHING);
            ways.add(mapping(options, name + "."));
        }
        return any(ways.toArray());
    }

    private static <B, V> Map<String, Object> option(Options<B> options, Option<B, V> option) {
        String text =
                option.meaning() + ". Default: " + options.byDefault(option) + ". Range: " + Options.expected(option);
        Map<String, Object> schema = new LinkedHashMap<>(value(option));
        schema.put("description", text);
        options.defaultOf(option).ifPresent(value -> schema.put("default", value));
        return schema;
    }

    private static Map<String, Object> value(Option<?, ?> option) {
        return option.items()
                .map(items -> {
                    Map<String, Object> one = value(items.type(), items.range());
                    return any(one, map("type", "array", "items", one, "maxItems", items.most()));
                })
                .orElseGet(() -> value(option.type(), option.range()));
    }

    private static Map<String, Object> value(Class<?> type, Range<?> range) {
        if (type == Duration.class) {
            return reference("duration");
        } else if (type == Boolean.class) {
            return any(map("type", "boolean"), reference("placeholder"));
        } else if (type.isEnum()) {
            List<String> words =
                    Stream.of(type.getEnumConstants()).map(Options::word).toList();
            return any(map("enum", words), reference("placeholder"));
        } else if (Number.class.isAssignableFrom(type)) {
            return any(number(type, range), spaced(type), reference("placeholder"));
        }
        if (type == IntSupplier.class) {
            return any(map("type", "integer", "minimum", 1, "maximum", Replicas.MOST), spaced(type), BOUND);
        }
        return type == String.class ? map("type", TEXT) : BOUND;
    }

    /** Some readers of YAML take 10_000 for a text. */
    private static Map<String, Object> spaced(Class<?> type) {
        String whole = "[-+]?[0-9]+(_[0-9]+)+";
        return map(
                "type",
                "string",
                "pattern",
                "^" + whole + (type == Double.class ? "(\\.[0-9]+)?([eE][-+]?[0-9]+)?$" : "$"));
    }

    private static Map<String, Object> number(Class<?> type, Range<?> range) {
        Map<String, Object> schema = map("type", type == Double.class ? "number" : "integer");
        if (range.least() instanceof Number least && range.most() instanceof Number most) {
            schema.put("minimum", range.orZero() ? 0 : least);
            schema.put("maximum", most);
        }
        return schema;
    }

    // ---- forms of JSON Schema

    private static Map<String, Object> object(Map<String, Object> properties) {
        return map("type", "object", "additionalProperties", false, "properties", properties);
    }

    private static Map<String, Object> all(Object values) {
        return map("type", "object", "additionalProperties", values);
    }

    @SuppressWarnings("unchecked") // schemas are maps of texts
    private static Map<String, Object> any(Object... schemas) {
        return schemas.length == 1 ? (Map<String, Object>) schemas[0] : map("anyOf", List.of(schemas));
    }

    private static Map<String, Object> orNothing(Object schema) {
        return any(NOTHING, schema);
    }

    private static Map<String, Object> described(String text, Map<String, Object> schema) {
        return with(schema, "description", text);
    }

    private static Map<String, Object> reference(String definition) {
        return map("$ref", "#/$defs/" + definition);
    }

    private static Map<String, Object> with(Map<String, Object> schema, Object... more) {
        Map<String, Object> all = new LinkedHashMap<>(schema);
        all.putAll(map(more));
        return all;
    }

    private static Map<String, Object> map(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
