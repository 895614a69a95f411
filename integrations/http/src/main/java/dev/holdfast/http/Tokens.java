/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

/** The words of HTTP (RFC 9110 §5.6.2). */
final class Tokens {
    private static final String MARKS = "!#$%&'*+-.^_`|~";

    private Tokens() {}

    static boolean isToken(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> isPart((char) c));
    }

    static boolean isPart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || MARKS.indexOf(c) >= 0;
    }
}
