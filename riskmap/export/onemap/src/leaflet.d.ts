/** Leaflet as the page finds it; its own types are not shipped with its files. */
declare const L: any;
