/*
 * json_c: json-c's header, with two of its names out of our way.
 *
 * Its types json_type and json_bool are never named here; ours are an enum
 * and functions of json/read.h.  Room-internal.
 */
#ifndef JSON_JSON_C_H
#define JSON_JSON_C_H

#define json_type json_c_type
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_type
#undef json_bool

#endif /* JSON_JSON_C_H */
