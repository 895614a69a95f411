/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import dev.holdfast.config.Holdfast;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.json.BasicJsonParser;

/** Variables of the environment have no hyphens. So the other properties, and the keys of a file, say where they are. */
final class Spelling {
    /** Those in which the next key is a name that the application gives. */
    private static final Set<String> NAMED = Set.of("templates", "shared", "pipelines");

    /** The keys of a file that have hyphens. */
    private static final Pattern HYPHENED = Pattern.compile("\"([a-z0-9]+(?:-[a-z0-9]+)+)\" *:");

    /** Those that may have a list: this alone, or beside other kinds of values. */
    private static final Pattern LISTS = Pattern.compile(
            "\"([a-z0-9-]+)\": *\\{\\s*(?:\"anyOf\": *\\[\\s*(?:\\{(?:[^{}]++|\\{[^{}]*+})*},\\s*)*\\{\\s*)?\"type\": *\"array\"");

    private static final Pattern WRITABLE = Pattern.compile("[A-Za-z0-9_-]+");

    private final Node root = new Node(null);

    // Not before it is asked for: most applications never ask, and the schema takes a while of their start.
    private @Nullable String schema;
    private @Nullable Map<String, String> ofFiles;
    private @Nullable Set<String> lists;

    private record Node(@Nullable String spelt, Map<String, Node> below) {
        Node(@Nullable String spelt) {
            this(spelt, new HashMap<>());
        }
    }

    private Matcher keys(Pattern pattern) {
        if (schema == null) {
            schema = Holdfast.schema();
        }
        return pattern.matcher(schema);
    }

    /** The keys of a file that have hyphens, by what a variable makes of them. */
    private Map<String, String> ofFiles() {
        if (ofFiles == null) {
            ofFiles = keys(HYPHENED)
                    .results()
                    .map(key -> key.group(1))
                    .collect(toMap(Spelling::uniform, key -> key, (key, again) -> key));
        }
        return ofFiles;
    }

    private Set<String> lists() {
        if (lists == null) {
            lists = keys(LISTS).results().map(key -> uniform(key.group(1))).collect(toSet());
        }
        return lists;
    }

    private static String uniform(String key) {
        return key.replace("-", "");
    }

    /** Whether a file may have a list there. */
    boolean isList(ConfigurationPropertyName name) {
        return !isGiven(name, name.getNumberOfElements() - 1) && lists().contains(name.getLastElement(Form.UNIFORM));
    }

    /** Whether it is a name that the application gives. */
    static boolean isGiven(ConfigurationPropertyName name, int i) {
        return i == 2 && isOfNames(name.getElement(1, Form.UNIFORM));
    }

    /** Whether what stands below this section are names. */
    static boolean isOfNames(String section) {
        return NAMED.contains(section);
    }

    /** Whether it is that of an item of a list. A name may have digits only. */
    static boolean isIndex(ConfigurationPropertyName name, int i) {
        return name.isNumericIndex(i) && !isGiven(name, i);
    }

    void learn(ConfigurationPropertyName name) {
        Node node = root;
        for (int i = 1; i < name.getNumberOfElements(); i++) {
            String spelt = original(name, i);
            node = node.below.computeIfAbsent(name.getElement(i, Form.UNIFORM), any -> new Node(spelt));
        }
    }

    /** Whether this is how a file spells the key, as opposed to {@code maxAttempts}. */
    static boolean isOfAFile(ConfigurationPropertyName name, int i) {
        return !isGiven(name, i) && original(name, i).contains("-");
    }

    /** What the others call that of a variable. */
    ConfigurationPropertyName whole(ConfigurationPropertyName ofVariable) {
        String keys = String.join(".", of(ofVariable, true));
        return EnvironmentProperties.ROOT.append(ConfigurationPropertyName.adapt(keys.replace(".[", "["), '.'));
    }

    List<String> of(ConfigurationPropertyName name, boolean ofVariable) {
        List<String> keys = new ArrayList<>();
        Node node = root;
        for (int i = 1; i < name.getNumberOfElements(); i++) {
            String uniform = name.getElement(i, Form.UNIFORM);
            Node below = node == null ? null : node.below.get(uniform);
            String known = below == null ? null : below.spelt;
            boolean key = ofVariable && !isGiven(name, i) && !isIndex(name, i);
            boolean isOther = known != null && !ofVariable && isOfAFile(name, i) && !known.contains("-");
            keys.add(
                    known != null && !isOther
                            ? known
                            : key ? ofFiles().getOrDefault(uniform, uniform) : original(name, i));
            node = below;
        }
        return keys;
    }

    /**
     * The variable that is probably meant by one with underscores inside of a key, as {@code RETRY_MAX_ATTEMPTS}; null if this one has
     * none. No option of Holdfast's own stands below another one with which its name would be a third one's.
     */
    @Nullable
    String joined(ConfigurationPropertyName name) {
        int all = name.getNumberOfElements();
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < all; i++) {
            String key = name.getElement(i, Form.UNIFORM);
            int last = i;
            StringBuilder several = new StringBuilder(key);
            for (int j = i + 1; j < all; j++) {
                several.append(name.getElement(j, Form.UNIFORM));
                if (isGiven(name, i)
                        ? isSplit(name, key, several.toString())
                        : ofFiles().containsKey(several.toString())) {
                    key = several.toString();
                    last = j;
                }
            }
            keys.add(key);
            i = last;
        }
        return keys.size() == all ? null : String.join("_", keys).toUpperCase(Locale.ROOT);
    }

    /**
     * The name with a dot or a blank that is probably meant by a variable such as {@code EU_1_TIMEOUT}; null if there is none. To
     * Spring, none is the name of it.
     */
    @Nullable
    String unwritable(ConfigurationPropertyName name) {
        Node named = name.getNumberOfElements() > 4 && isGiven(name, 2)
                ? root.below.get(name.getElement(1, Form.UNIFORM))
                : null;
        if (named == null || named.below.containsKey(name.getElement(2, Form.UNIFORM))) {
            return null;
        }
        StringBuilder several = new StringBuilder(name.getElement(2, Form.UNIFORM));
        for (int i = 3; i < name.getNumberOfElements() - 1; i++) {
            several.append(name.getElement(i, Form.UNIFORM));
            for (Node one : named.below.values()) {
                if (one.spelt != null
                        && !isWritable(one.spelt)
                        && letters(one.spelt).contentEquals(several)) {
                    return one.spelt;
                }
            }
        }
        return null;
    }

    /** Whether a variable can have this name. */
    static boolean isWritable(String given) {
        return WRITABLE.matcher(given).matches();
    }

    private static String letters(String given) {
        return given.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]", "");
    }

    /** Whether others have the joined name, none has what stands before the underscore, and what follows is no key. */
    private boolean isSplit(ConfigurationPropertyName name, String first, String joined) {
        Node named = root.below.get(name.getElement(1, Form.UNIFORM));
        return named != null
                && named.below.containsKey(joined)
                && !named.below.containsKey(first)
                && !hasKey(new BasicJsonParser().parseMap(Holdfast.schema()), name.getElement(3, Form.UNIFORM));
    }

    /** The schema has words of its own beside the keys. To read it takes a while: only for what is probably a mistake. */
    private static boolean hasKey(@Nullable Object schema, String uniform) {
        if (schema instanceof Map<?, ?> one) {
            return (one.get("properties") instanceof Map<?, ?> keys
                            && keys.keySet().stream()
                                    .anyMatch(
                                            key -> uniform(String.valueOf(key)).equals(uniform)))
                    || one.values().stream().anyMatch(below -> hasKey(below, uniform));
        }
        return schema instanceof List<?> several && several.stream().anyMatch(below -> hasKey(below, uniform));
    }

    static String original(ConfigurationPropertyName name, int i) {
        String element = name.getElement(i, Form.ORIGINAL);
        return isIndex(name, i) ? "[" + element + "]" : element;
    }
}
