/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/** Refuses properties that are one to Spring, where their author means two, or a key that Holdfast does not know. */
final class Lookalikes {
    private Lookalikes() {}

    /**
     * Looks at all that can list their own.
     *
     * @param all the first source first
     * @throws WrongSettingException if two are alike
     */
    static void refuse(List<Found> all) {
        List<Found> written = all.stream().filter(one -> !one.ofVariable()).toList();
        refuseAlike(written);
        refuseTwice(written);
        refuseMisspelt(written);
    }

    /** To Spring, {@code eu-1} and {@code EU1} are one name. Where one source has both, two are meant. */
    private static void refuseAlike(List<Found> all) {
        record Name(ConfigurationPropertySource source, String section, String uniform) {}
        Map<Name, Found> known = new HashMap<>();
        for (Found one : all) {
            ConfigurationPropertyName name = one.name();
            if (name.getNumberOfElements() < 3 || !Spelling.isGiven(name, 2)) {
                continue;
            }
            String section = name.getElement(1, Form.UNIFORM);
            String uniform = name.getElement(2, Form.UNIFORM);
            Found first = known.putIfAbsent(new Name(one.source(), section, uniform), one);
            String spelt = Spelling.original(name, 2);
            String before = first == null ? spelt : Spelling.original(first.name(), 2);
            if (first != null && !before.equals(spelt)) {
                throw new WrongSettingException(one.place() + ": to Spring, " + spelt + " and " + before
                        + " (" + first.place() + ") are one name; expected others, or brackets around"
                        + " both, such as \"[" + spelt + "]\"");
            }
        }
    }

    /** {@code maxAttempts} beside {@code max-attempts}: of one source, Spring takes either. */
    private static void refuseTwice(List<Found> all) {
        record Key(ConfigurationPropertySource source, ConfigurationPropertyName name) {}
        Map<Key, Found> known = new HashMap<>();
        for (Found one : all) {
            Found first = known.putIfAbsent(new Key(one.source(), one.name()), one);
            for (int i = 1; first != null && i < one.name().getNumberOfElements(); i++) {
                String spelt = Spelling.original(one.name(), i);
                String before = Spelling.original(first.name(), i);
                if (!spelt.equals(before)) {
                    throw new WrongSettingException(one.place() + ": to Spring, " + spelt + " and " + before
                            + " are one key; expected one of the two");
                }
            }
        }
    }

    /**
     * {@code maxAttempts} of the lowest source, and {@code max-attempts} of another one: nobody would see the mistake, since the other
     * one wins. Where the lowest one has it right, the others add to it, however they spell it.
     */
    private static void refuseMisspelt(List<Found> all) {
        Map<ConfigurationPropertyName, Found> lowest = new HashMap<>();
        all.forEach(one -> lowest.put(one.name(), one));
        for (Found one : all) {
            Found low = lowest.getOrDefault(one.name(), one);
            for (int i = 1; i < one.name().getNumberOfElements(); i++) {
                if (Spelling.isOfAFile(one.name(), i) && !Spelling.isOfAFile(low.name(), i)) {
                    String right = Spelling.original(one.name(), i);
                    throw new WrongSettingException(low.place() + ": to Spring, " + Spelling.original(low.name(), i)
                            + " and " + right + " (" + one.place() + ") are one key; did you mean " + right + "?");
                }
            }
        }
    }
}
