import "@adonisjs/core/types/http";

type ParamValue = string | number | bigint | boolean;

export type ScannedRoutes = {
  ALL: {};
  POST: {};
};
declare module "@adonisjs/core/types/http" {
  export interface RoutesList extends ScannedRoutes {}
}
