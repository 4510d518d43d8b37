// The material master of the example: as in SAP, nothing is deleted; it is marked.
service materials {
  @Capabilities.DeleteRestrictions.Deletable: false
  entity Material {
    key Product             : String(40);
        GTIN                : String(18);
        Name                : String(80);
        NetPrice            : Decimal(15, 2);
        Currency            : String(3);
        Weight              : Decimal(13, 3);
        Stock               : Integer;
        IsMarkedForDeletion : Boolean default false;
        LastChangeDateTime  : Timestamp @odata.etag;
  }
}
