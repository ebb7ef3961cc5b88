/** The OpenAPI 3.1 document of the wire. @see W30 */
export function openApiDocument(): object {
  return {};
}
