/* SPDX-License-Identifier: Apache-2.0 */
/** Spring's HTTP clients with pipelines around them: RestClient, RestTemplate, WebClient, and groups of HTTP services. */
@NullMarked
package dev.holdfast.spring;

import org.jspecify.annotations.NullMarked;
