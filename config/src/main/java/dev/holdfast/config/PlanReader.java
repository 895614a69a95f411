/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.Node.Sequence;
import dev.holdfast.spi.PolicyFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the document: the pipelines, and in each its sections, classifier and order. Makes nothing. */
final class PlanReader {
    static final String EXPECTED = "the key pipelines, with at least one pipeline";

    private static final String PIPELINES = "pipelines";
    private static final String CLASSIFIER = "classifier";
    private static final String ORDER = "order";

    private final Factories factories;
    private final Values values;
    private final Problems problems;

    PlanReader(Factories factories, Bindings bindings, Problems problems) {
        this.factories = factories;
        this.values = new Values(bindings, problems);
        this.problems = problems;
    }

    List<PipelinePlan> read(Node root) {
        Place place = Place.document(root.at());
        List<PipelinePlan> plans = new ArrayList<>();
        if (!(root instanceof Mapping mapping)) {
            problems.add(place, root.isNothing() ? "is empty" : "is " + root.described(), EXPECTED);
            return plans;
        }
        boolean found = false;
        for (Entry entry : mapping.entries()) {
            Place here = place.child(entry);
            if (entry.key().equals(PIPELINES)) {
                found = true;
                pipelines(here, entry.value(), plans);
            } else {
                Optional<String> nearest = Nearest.to(entry.key(), Set.of(PIPELINES));
                problems.add(here, "unknown key", PIPELINES, nearest);
                found |= nearest.isPresent();
            }
        }
        if (!found) {
            problems.add(place, "has no pipelines", EXPECTED);
        }
        return plans;
    }

    private void pipelines(Place place, Node node, List<PipelinePlan> plans) {
        if (!(node instanceof Mapping mapping) || mapping.entries().isEmpty()) {
            String what = node.isNothing() || node instanceof Mapping ? "is empty" : "is " + node.described();
            problems.add(place.value(node), what, "at least one pipeline by its name");
            return;
        }
        for (Entry entry : mapping.entries()) {
            Place here = place.child(entry);
            if (entry.key().isBlank()) {
                problems.add(here, "the name is blank", "a name");
            } else if (!Shown.isVisible(entry.key())) {
                problems.add(here, "the name has characters that cannot be seen", "a name in one line");
            }
            if (entry.value() instanceof Mapping sections && !sections.entries().isEmpty()) {
                plans.add(pipeline(entry.key(), here, sections));
            } else {
                boolean empty = entry.value().isNothing() || entry.value() instanceof Mapping;
                problems.add(
                        here.value(entry.value()),
                        empty ? "has no section" : "is " + entry.value().described(),
                        "at least one of " + String.join(", ", factories.keys()));
            }
        }
    }

    private PipelinePlan pipeline(String name, Place place, Mapping mapping) {
        Optional<Classifier> classifier = Optional.empty();
        @Nullable Entry order = null;
        // A section that cannot be read is kept, because the order may name it.
        Map<String, Optional<Section<?>>> sections = new LinkedHashMap<>();
        for (Entry entry : mapping.entries()) {
            Place here = place.child(entry);
            switch (entry.key()) {
                case CLASSIFIER -> classifier = values.read(Classifier.class, here, entry.value());
                case ORDER -> order = entry;
                default -> sections.put(entry.key(), section(here, entry));
            }
        }
        if (sections.isEmpty()) {
            problems.add(place, "has no section", "at least one of " + String.join(", ", factories.keys()));
        }
        List<Section<?>> layers =
                order == null ? byPosition(sections) : inOrder(place.child(order), order.value(), sections);
        return new PipelinePlan(name, place, classifier, layers);
    }

    private Optional<Section<?>> section(Place place, Entry entry) {
        Optional<PolicyFactory<?>> factory = factories.find(entry.key());
        if (factory.isPresent()) {
            return Optional.of(read(factory.get(), place, entry.value()));
        }
        Optional<String> artifact = Factories.artifact(entry.key());
        if (artifact.isPresent()) {
            problems.add(place, "section " + entry.key() + " needs " + artifact.get() + " on the class path");
        } else {
            Set<String> known = new LinkedHashSet<>(factories.keys());
            known.addAll(List.of(CLASSIFIER, ORDER));
            String expected = "one of " + String.join(", ", known);
            known.addAll(Factories.knownKeys());
            problems.add(place, "unknown section", expected, Nearest.to(entry.key(), known));
        }
        return Optional.empty();
    }

    private <B> Section<B> read(PolicyFactory<B> factory, Place place, Node node) {
        return new SectionReader<>(factory, values, problems).read(place, node);
    }

    private static List<Section<?>> byPosition(Map<String, Optional<Section<?>>> sections) {
        Comparator<Section<?>> position =
                Comparator.comparingInt(section -> section.factory().position());
        return sections.values().stream()
                .flatMap(Optional::stream)
                .sorted(position.thenComparing(section -> section.factory().key()))
                .toList();
    }

    private List<Section<?>> inOrder(Place place, Node node, Map<String, Optional<Section<?>>> sections) {
        List<Section<?>> layers = new ArrayList<>();
        if (!(node instanceof Sequence list)) {
            String what = node.isNothing() ? "has no value" : "is " + node.described();
            problems.add(place.value(node), what, "a list of the sections, outermost first");
            return layers;
        }
        if (list.items().size() > Bounds.LAYERS) {
            problems.add(place.value(node), "names " + list.items().size() + " layers", "at most " + Bounds.LAYERS);
            return layers;
        }
        Set<String> missing = new LinkedHashSet<>(sections.keySet());
        for (Node item : list.items()) {
            String name = item instanceof Scalar scalar ? scalar.text() : "";
            missing.remove(name);
            if (sections.containsKey(name)) {
                sections.get(name).ifPresent(layers::add);
            } else {
                unknownLayer(place.value(item), item, sections.keySet());
                // A misspelt section is not left out.
                Nearest.to(name, sections.keySet()).ifPresent(missing::remove);
            }
        }
        if (!missing.isEmpty()) {
            problems.add(place, "leaves out " + String.join(", ", missing), "every section");
        }
        return layers;
    }

    private void unknownLayer(Place place, Node item, Set<String> present) {
        String name = item.described();
        boolean known = item instanceof Scalar && factories.find(name).isPresent();
        problems.add(
                place,
                "names " + name + ", which is no section of this pipeline",
                known
                        ? "a section of its own, " + name + ": {} for the defaults"
                        : "one of " + String.join(", ", present),
                known || !(item instanceof Scalar) ? Optional.empty() : Nearest.to(name, present));
    }
}
